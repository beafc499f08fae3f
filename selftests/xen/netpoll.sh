#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Defends netpoll: what the kernel's netconsole sends over a vif reaches the peer,
# line by line, when the vif is idle, busy, and when its queue was stopped.

. /host/xen/lib.sh
. /host/xen/traffic.sh

PORT_LOG=6666
RING=256

netconsole_on() {
	local dev mac
	dev=$(netif "$1")
	mac=$(peer cat /sys/class/net/peer0/address)
	guest "$1" "modprobe netconsole netconsole=6665@$(guest_v4 "$1")/$dev,$PORT_LOG@$(remote_v4)/$mac"
}

# say NAME TAG LINES: numbered, as errors, since netconsole minds the log level.
say() { guest "$1" "for i in \$(seq $3); do echo \"<3>$2 \$i.\" >/dev/kmsg; done"; }

lines_arrive() {
	say "$1" "$2" 50
	wait_for 20 "50 lines of $2" all_arrived "$2" 50 || fail "$(arrived "$2") arrived"
}

# A backend held to 1500 bytes in 400 ms: what is on its way is more than
# a ring holds, so the queue was stopped, and netpoll had to keep the rest.
stopped_queue() {
	local waiting
	backend_key "$1" 0 rate 1500,400000
	say "$1" stopped $((3 * RING))
	waiting=$((3 * RING - $(arrived stopped)))
	echo "$waiting lines are still on their way"
	((waiting > RING)) || fail "expected more than the ring's $RING: the queue was never stopped"
	wait_for 120 "the rest" all_arrived stopped $((3 * RING)) ||
		fail "$(arrived stopped) of $((3 * RING)) arrived"
	backend_key "$1" 0 rate 1000000000,0
	lines_arrive "$1" afterwards
}

# netconsole lets go of the vif, or this would wait for it for ever.
unloads() {
	unload_driver "$1"
	! netif "$1"
	guest "$1" "rmmod netconsole"
}

for type in $GUEST_TYPES; do
	ktap_test "$type: connected" use_guest "$type"
	listen $PORT_LOG
	ktap_test "$type: netconsole starts" netconsole_on "$type"
	ktap_test "$type: lines over an idle vif" lines_arrive "$type" idle
	ktap_test "$type: lines under traffic" under_traffic "$type" lines_arrive "$type" busy
	ktap_test "$type: lines after the queue was stopped" stopped_queue "$type"
	ktap_test "$type: the driver unloads under netconsole" unloads "$type"
	listen_no_more
done
ktap_end
