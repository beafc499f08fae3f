#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The demonstration, as scripts/demo tells it: one HVM guest whose NIC is there
# twice, and what each policy makes of it. Every scene is a test: it checks what
# it shows. What people read goes to /host/log/story, in this form:
#   "== " a heading, "-- " what is being done now, "!! " what is wrong, other
#   lines as they are.

# shellcheck source=selftests/xen/lib.sh disable=SC2016,SC2086,SC2317
. /host/xen/lib.sh
# shellcheck source=selftests/xen/ipxe-lib.sh
. /host/xen/ipxe-lib.sh

G=demo
MAC=$(vif_mac "$(guest_number $G)" 0)
PV=vif-0

tell() { printf '%s\n' "$*" >>/host/log/story; }
busy_with() { tell "-- $*"; }

# scene HEADING FUNCTION
scene() {
	local failures=$ktap_failures
	tell "== $1"
	ktap_test "$1" "$2"
	((ktap_failures == failures)) && return
	tell "!! not as expected:"
	tail -12 "$LAB_STATE/test.log" | sed 's/^/!!   /' >>/host/log/story
	tell "!! the rest of the demonstration is left out"
	ktap_end
}

# The table as the tool prints it in the guest.
show_table() { guest $G /lab/xennet-ifstat >"$LAB_STATE/table" || true; indent <"$LAB_STATE/table"; }
indent() { sed 's/^/    /' >>/host/log/story; }

netdevs() { guest $G 'for n in /sys/class/net/*; do [ ! -e $n/device ] || echo ${n##*/}; done'; }
emulated() { guest $G 'for n in /sys/bus/pci/devices/*/net/*; do [ ! -e $n ] || echo ${n##*/}; done | grep .'; }
twin_state() { guest $G "cut -d' ' -f1 /sys/bus/xen/devices/$PV/twin"; }

# expect N WHAT: the guest has N physical NICs.
expect() {
	local found
	found=$(netdevs | wc -l)
	((found == $1)) || fail "expected $1 NIC(s) in the guest, found $found: $(netdevs | tr '\n' ' ')"
}

expect_twin() {
	wait_for 15 "$PV's twin to be $1" eval "[[ \$(twin_state) == $1 ]]" ||
		fail "$PV: $(guest $G "cat /sys/bus/xen/devices/$PV/twin")"
}

same_mac() { [[ $(guest $G "cat /sys/class/net/$1/address") == "$MAC" ]] || fail "$1 has another MAC than $MAC"; }

# ---- the scenes ------------------------------------------------------------

ipxe_speaks() {
	busy_with "an HVM guest starts, with one network interface, an emulated rtl8139 and iPXE as firmware"
	create_ipxe_guest "$G"
	host_cards
	tell "The host was asked for one network interface, $MAC. It gives an HVM" \
		"guest two ways to it: an emulated card and a paravirtual vif."
	busy_with "iPXE finds its NICs, fetches Linux from the host and runs ifstat"
	wait_for_ipxe "$G"
	indent <"$LAB_STATE/ipxe"
	tell "iPXE, the firmware, took the vif, hid the emulated card from itself and left it in place:" \
		"the next system can choose again. That is Linux now."
	grep -qi "^net0: $MAC using netfront" "$LAB_STATE/ipxe" || fail "iPXE does not use netfront"
	[[ $(grep -c using "$LAB_STATE/ipxe") == 1 ]] || fail "iPXE shows more than one NIC"
	((cards == 1)) || fail "the host has $cards Ethernet cards for the guest, not 1"
}

linux_boots() {
	busy_with "Linux boots in the guest, with the kernel and initramfs that came through the vif"
	wait_for_agent "$G"
	busy_with "the drivers of a stock kernel load"
	doubled
}

# What the device model says of its Ethernet cards.
host_cards() {
	qemu_monitor $G 'info pci' >"$LAB_STATE/pci"
	cards=$(grep -c 'Ethernet controller' "$LAB_STATE/pci" || true)
	tell "Ethernet cards in the guest, says the host's device model: $cards"
}

doubled() {
	local nic
	guest $G 'modprobe 8139cp && modprobe xen-netfront'
	wait_for 20 "the stock driver to connect" vif_is $G 0 4
	wait_for 10 "its netdev" netif $G
	for nic in $(netdevs); do
		guest $G "sysctl -qw net.ipv6.conf.$nic.disable_ipv6=1; ip link set $nic up"
	done
	sleep 1
	show_table
	tell "One interface, two NICs with one address: software that goes by the address" \
		"picks either, and so does a person."
	expect 2
	for nic in $(netdevs); do same_mac "$nic"; done
	grep -q 'same MAC' "$LAB_STATE/table" || fail "xennet-ifstat does not name the doubled MAC"
}

keeps() {
	busy_with "the stock driver goes, xennet_lite comes with unplug=keep"
	guest $G "ip link set $(emulated) down
		echo $PV >/sys/bus/xen/drivers/vif/unbind && rmmod xen-netfront"
	load_driver $G unplug=keep
	guest_addr $G
	show_table
	guest $G "grep . /sys/class/net/$(emulated)/ifalias /dev/null" | sed 's/^[^:]*:/    ifalias: /' >>/host/log/story
	tell "xennet_lite drives the vif now. keep touches nothing, but it knows the pair and marks the card."
	expect 2
	expect_twin visible
	guest $G "grep -q 'emulated twin of $PV' /sys/class/net/$(emulated)/ifalias" ||
		fail "the emulated NIC bears no alias"
}

hides() {
	busy_with "the policy changes in the running guest: unplug=hide"
	guest $G 'echo hide >/sys/module/xennet_lite/parameters/unplug'
	expect_twin hidden
	wait_for 5 "one NIC to be left" expect 1
	show_table
	tell "One NIC is left. The card is still in its slot, only without a driver: the next system finds it."
	same_mac "$(netif $G)"
}

traffic() {
	local line
	busy_with "ping from the guest to the host"
	guest $G "ping -c 5 -i 0.2 -W 2 $(remote_v4)" >"$LAB_STATE/ping"
	tail -2 "$LAB_STATE/ping" | indent
	grep -q ' 0% packet loss' "$LAB_STATE/ping" || fail "packets were lost"
	peer iperf3 -s -D
	sleep 0.5
	for line in 'to the host:' 'from the host: -R'; do
		busy_with "iperf3, five seconds ${line%%:*}"
		guest $G "iperf3 -c $(remote_v4) -t 5 -f m ${line#*:}" >"$LAB_STATE/iperf"
		awk -v what="iperf3 ${line%%:*}" '/receiver/ {
			for (i = 2; i <= NF; i++) if ($i ~ /bits\/sec/) rate = $(i - 1) " " $i
			printf "    %-22s %s\n", what, rate }' "$LAB_STATE/iperf" >>/host/log/story
		grep -q receiver "$LAB_STATE/iperf" || fail "iperf3 did not finish"
	done
	show_table
	tell "(The host is itself emulated here, so these rates say that it works, not how fast.)"
	expect 1
}

returns() {
	local nic
	busy_with "the module is unloaded"
	unload_driver $G
	wait_for 15 "the emulated NIC" emulated
	expect 1
	nic=$(emulated)
	same_mac "$nic"
	guest $G "sysctl -qw net.ipv6.conf.$nic.disable_ipv6=1
		ip addr add $(guest_v4 $G)/24 dev $nic && ip link set $nic up"
	wait_for 20 "the host to be reachable by the emulated card" guest $G "ping -c 1 -W 1 $(remote_v4)"
	show_table
	tell "The card has its driver back and answers ping: unloading never leaves the guest without a network."
	guest $G "ip link set $nic down; ip addr flush dev $nic"
}

commits() {
	busy_with "xennet_lite comes back, with unplug=unplug"
	load_driver $G unplug=unplug
	guest_addr $G
	busy_with "it commits once the vif has carried its connection for two seconds"
	expect_twin gone
	expect 1
	show_table
	guest $G "dmesg | grep 'xennet_lite: ' | tail -3 | cut -c1-110 | sed 's/^\[[^]]*\] //'" | indent
	host_cards
	((cards == 0)) || fail "the host still has the card"
	guest $G "ping -c 3 -i 0.2 -W 2 $(remote_v4)" >"$LAB_STATE/ping"
	tail -2 "$LAB_STATE/ping" | head -1 | indent
	tell "Now the card is gone from the machine itself, until the next reboot; the vif carries on."
}

scene "The firmware: iPXE" ipxe_speaks
scene "Linux with its stock drivers: every NIC twice" linux_boots
scene "xennet_lite unplug=keep: both, but told apart" keeps
scene "xennet_lite unplug=hide: one NIC" hides
scene "The one NIC carries traffic" traffic
scene "Unloaded: the card is given back" returns
scene "xennet_lite unplug=unplug: the host takes the card out" commits
destroy_guest $G
ktap_end
