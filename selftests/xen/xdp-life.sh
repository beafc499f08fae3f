#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Defends XDP programs over a vif's life: on a backend that leaves no room, over a
# new backend and a restore, 50 times attached and detached, and unloading; a
# refusal says why.

. /host/xen/lib.sh
. /host/xen/traffic.sh
. /host/xen/xdp-lib.sh

redirects_tagged() {
	local attempt
	peer ip link add link peer0 name peer0.7 type vlan id 7
	peer ip link set peer0.7 up
	attempt through_ports "$1" decap encap 29 peer0.7
	peer ip link del peer0.7
	return "$attempt"
}

# refused TEXT COMMAND...: it fails, and says so.
refused() {
	local text=$1 said status=0
	shift
	said=$("$@" 2>&1) || status=$?
	echo "status $status: $said"
	((status)) && grep -q "$text" <<<"$said"
}

refuses() {
	local dev attempt
	dev=$(netif "$1")
	path_mtu "$1" 9000
	attempt refused "xennet_lite: MTU too large for a program without frags support" \
		guest "$1" "ip link set dev $dev xdpdrv pinned $FS/xdp/pass"
	path_mtu "$1" 1500
	((attempt == 0)) || return "$attempt"
	guest "$1" "! ip link show dev $dev | grep prog/xdp"
	with_program "$1" pass refuses_mtu "$1"
	both_ways "$1" 1000000
}

refuses_mtu() {
	refused "Invalid argument" guest "$1" "ip link set dev $(netif "$1") mtu 9000"
	guest "$1" "dmesg | grep 'MTU 9000 is too large for the XDP program'"
}

# The backend then puts frames where it likes.
without_headroom() {
	local attempt
	xenstore-rm "/local/domain/0/backend/vif/$(domid "$1")/0/feature-xdp-headroom"
	attempt with_program "$1" room reflects "$1" 60 1498 71
	backend_key "$1" 0 feature-xdp-headroom 1
	return "$attempt"
}

agent_answers() { GUEST_TIMEOUT=5 guest "$1" true; }

# The backend's driver lets go of the vif and takes it again.
rebind_backend() {
	local dir=/sys/bus/xen-backend/drivers/vif vif
	vif=vif-$(domid "$1")-0
	echo "$vif" >$dir/unbind
	wait_for 20 "the backend to be gone" test ! -e "$dir/$vif"
	echo "$vif" >$dir/bind
	wait_for 20 "the backend's netdev" test -e "/sys/class/net/vif$(domid "$1").0"
	ip link set "vif$(domid "$1").0" master "$BRIDGE" up
	backend_key "$1" 0 hotplug-status connected
}

survives_rebind() {
	rebind_backend "$1"
	still_reflects "$1"
}

survives_save() {
	save_guest "$1"
	restore_guest "$1"
	wait_for 60 "the agent after the restore" agent_answers "$1"
	still_reflects "$1"
}

# In the guest alone: each round waits for both connections.
attach_often() {
	GUEST_TIMEOUT=300 guest "$1" "
		$SHOWS
		dev=$(netif "$1")
		for i in \$(seq 50); do
			ip link set dev \$dev xdpdrv pinned $FS/xdp/pass && shows xdp-headroom $HEADROOM || exit 1
			ip link set dev \$dev xdpdrv off && shows xdp-headroom 0 || exit 1
		done"
}

# At once, and later, until the connection without a program is made: what is there in
# the end counts, not what was when it began.
attach_while_connecting() {
	GUEST_TIMEOUT=300 guest "$1" "
		$SHOWS
		dev=$(netif "$1")
		for i in 00 01 02 03 04 05 06 08 10 12 15 20; do
			ip link set dev \$dev xdpdrv pinned $FS/xdp/pass && shows xdp-headroom $HEADROOM || exit 1
			ip link set dev \$dev xdpdrv off
			sleep 0.\$i
			ip link set dev \$dev xdpdrv pinned $FS/xdp/pass
			sleep 0.5
			shows xdp-headroom $HEADROOM || exit 1
			ip link set dev \$dev xdpdrv off && shows xdp-headroom 0 || exit 1
		done"
}

# A ring's buffers are 1 MiB: 100 connections that leaked would show.
attach_often_leaks_nothing() { leaks_less "$1" 12288 under_traffic "$1" attach_often "$1"; }

no_programs() { guest "$1" "! bpftool prog show | grep ': xdp'"; }

# The kernel complains of a page pool that does not empty for 60 seconds.
unloads_attached() {
	attach "$1" swap
	raw "$1" 60 1514 181
	unload_driver "$1"
	guest "$1" "rm -rf $FS/xdp $FS/maps"
	wait_for 20 "the programs to be freed" no_programs "$1"
	sleep 64
	guest "$1" "! dmesg | grep 'stalled pool shutdown'"
	load_driver "$1"
	guest_addr "$1"
	both_ways "$1" 1000000
}

for type in $GUEST_TYPES; do
	ktap_test "$type: connected" use_guest "$type"
	ktap_test "$type: the programs load" load_programs "$type"
	ktap_test "$type: REDIRECT with a VLAN tag taken off and put on" redirects_tagged "$type"
	ktap_test "$type: a program without fragments and an MTU of 9000" refuses "$type"
	ktap_test "$type: room on a backend that leaves none" without_headroom "$type"
	ktap_test "$type: a program outlives the backend" with_program "$type" swap survives_rebind "$type"
	ktap_test "$type: a program outlives save and restore" with_program "$type" swap survives_save "$type"
	ktap_test "$type: attached while the connection without one is made" attach_while_connecting "$type"
	ktap_test "$type: attached and detached 50 times under traffic" attach_often_leaks_nothing "$type"
	ktap_test "$type: unloaded with a program attached" unloads_attached "$type"
done
ktap_end
