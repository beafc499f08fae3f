#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Defends unloading: the module goes and comes back under traffic, 20 times.

. /host/xen/lib.sh
. /host/xen/traffic.sh

reload_often() {
	local i
	for ((i = 1; i <= 20; i++)); do
		unload_driver "$1"
		load_driver "$1"
		guest "$1" "dev=\$(ls /sys/bus/xen/devices/vif-0/net)
			ip addr add $(guest_v4 "$1")/24 dev \$dev; ip link set \$dev up"
	done
}

for type in $GUEST_TYPES; do
	ktap_test "$type: connected" use_guest "$type"
	ktap_test "$type: 20 reloads under traffic" under_traffic "$type" reload_often "$type"
done
ktap_end
