#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Defends hot-plug: a second vif comes and goes 20 times while the first carries
# traffic, and each time it works and leaves nothing behind.

. /host/xen/lib.sh
. /host/xen/traffic.sh

no_vif() { ! xenstore-exists "/local/domain/$(domid "$1")/device/vif/$2"; }
no_netif() { ! netif "$1" "$2"; }

# A look into the guest costs a second; every fifth round takes it.
plug_often() {
	local i
	for ((i = 1; i <= 20; i++)); do
		attach_vif "$1" 1 type=vif
		wait_for 20 "vif 1 to connect, round $i" vif_is "$1" 1 4
		if ((i % 5 == 0)); then guest_addr "$1" 1; fi
		detach_vif "$1" 1
		wait_for 20 "vif 1 to go, round $i" no_vif "$1" 1
		if ((i % 5 == 0)); then
			wait_for 20 "vif 1's netdev to go, round $i" no_netif "$1" 1
		fi
	done
}

for type in $GUEST_TYPES; do
	ktap_test "$type: connected" use_guest "$type"
	ktap_test "$type: 20 network-attach and -detach under traffic" \
		under_traffic "$type" plug_often "$type"
done
ktap_end
