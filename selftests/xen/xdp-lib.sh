# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# XDP programs in a guest and the frames that meet them, for the xdp scenarios
# to source after lib.sh and traffic.sh.

FS=/sys/fs/bpf
HEADROOM=256

load_programs() {
	guest "$1" "[ ! -e $FS/xdp/pass ] || exit 0
		mount -t bpf bpf $FS
		bpftool prog loadall /lab/xdp.bpf.o $FS/xdp pinmaps $FS/maps
		ls $FS/xdp $FS/maps"
}

# negotiated NAME HEADROOM: connected, and with that headroom asked for.
negotiated() {
	vif_is "$1" 0 4 && vif_is "$1" 0 4 backend &&
		[[ $(frontend_key "$1" 0 xdp-headroom) == "$2" ]]
}

# attach NAME PROGRAM; detach NAME
attach() {
	guest "$1" "ip -force link set dev $(netif "$1") xdpdrv pinned $FS/xdp/$2" || return
	wait_for 30 "a connection with room for $2" negotiated "$1" "$HEADROOM"
	guest "$1" "ip link show dev $(netif "$1") | grep -o 'prog/xdp.*'"
}

detach() {
	guest "$1" "ip link set dev $(netif "$1") xdpdrv off"
	wait_for 30 "a connection without headroom" negotiated "$1" 0
}

# with_program NAME PROGRAM COMMAND...: and detached afterwards.
with_program() {
	local name=$1 program=$2 attempt
	shift 2
	guest "$name" "bpftool map update pinned $FS/maps/hits key 0 0 0 0 value 0 0 0 0 0 0 0 0"
	attach "$name" "$program"
	attempt "$@"
	detach "$name"
	return "$attempt"
}

hits() {
	guest "$1" "bpftool map lookup pinned $FS/maps/hits key 0 0 0 0" |
		sed -nE 's/.*"value": *([0-9]+).*/\1/p'
}

# counter NAME FIELD: the sum over all queues; link_counter NAME FILE
counter() { guest "$1" "ethtool -S $(netif "$1")" | awk -v f="_$2:" 'index($1, f) { s += $2 } END { print s + 0 }'; }
link_counter() { guest "$1" "cat /sys/class/net/$(netif "$1")/statistics/$2"; }

guest_mac() { guest "$1" "cat /sys/class/net/$(netif "$1")/address"; }

# raw NAME FROM TO STEP [DEV]: frames of these sizes come back whole.
raw() {
	timeout 100 "$IP" netns exec peer "$NETCHECK" raw "${5:-peer0}" "$(guest_mac "$1")" "$2" "$3" "$4"
}

reflects() {
	local sent back
	sent=$(counter "$1" xdp_tx) back=$(counter "$1" xdp)
	raw "$1" "$2" "$3" "$4"
	(($(counter "$1" xdp_tx) - sent >= ($3 - $2) / $4))
	(($(counter "$1" xdp) - back >= ($3 - $2) / $4))
	both_ways "$1" 300000
}

# still_reflects NAME: the program attached is so still, on the connection there is.
still_reflects() {
	wait_for 60 "a connection with room" negotiated "$1" "$HEADROOM"
	guest_addr "$1"
	wait_for 60 "a frame to come back" raw "$1" 60 60 1
	raw "$1" 60 1514 181
	both_ways "$1" 1000000
}

# A veth pair in the guest, and an echo behind it. The far end needs a program of
# its own to take redirected frames.
make_ports() {
	local dev
	dev=$(netif "$1")
	guest "$1" "modprobe veth
		[ -e /sys/class/net/v0 ] || ip link add v0 type veth peer name v1
		ip link set v0 up
		ip link set v1 up
		ip -force link set dev v1 xdpdrv pinned $FS/xdp/pass
		port() { bpftool map update pinned $FS/maps/ports key \$1 0 0 0 value \$(cat /sys/class/net/\$2/ifindex) 0 0 0; }
		port 0 v0 && port 1 $dev || exit 1
		setsid /lab/netcheck rawecho v1 >/dev/null 2>&1 & echo \$! >/tmp/rawecho.pid"
}

unmake_ports() { guest "$1" "kill \$(cat /tmp/rawecho.pid); ip link del v0"; }

# To veth by the vif's program, back by the veth's: both directions of redirect.
redirects() {
	local away back
	guest "$1" "ip -force link set dev v0 xdpdrv pinned $FS/xdp/$2"
	away=$(counter "$1" xdp_redirect) back=$(counter "$1" xdp)
	raw "$1" 60 1514 "$3" "${4:-peer0}"
	(($(counter "$1" xdp_redirect) - away >= 1454 / $3))
	(($(counter "$1" xdp) - back >= 1454 / $3))
	both_ways "$1" 300000
}

through_ports() {
	local attempt
	make_ports "$1"
	attempt with_program "$1" "$2" redirects "$1" "$3" "$4" "${5:-}"
	unmake_ports "$1"
	return "$attempt"
}
