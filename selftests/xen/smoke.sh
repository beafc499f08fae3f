#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Defends the least: in every guest type the driver binds, connects and answers
# the peer, and unloads.

. /host/xen/lib.sh

pings() {
	guest_addr "$1"
	peer ping -c 3 -i 0.2 -W 2 "$(guest_v4 "$1")"
	peer ping -c 3 -i 0.2 -W 2 "$(guest_v6 "$1")"
}

unloads() {
	unload_driver "$1"
	! netif "$1"
}

for type in $GUEST_TYPES; do
	ktap_test "a $type guest boots" create_guest "$type" "$type"
	ktap_test "$type: the vif connects" load_driver "$type"
	ktap_test "$type: the peer reaches the guest" pings "$type"
	ktap_test "$type: the driver unloads" unloads "$type"
	destroy_guest "$type"
done
ktap_end
