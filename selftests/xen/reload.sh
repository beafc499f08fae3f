#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Defends unloading: the module goes and comes back under traffic, 20 times.

. /host/xen/lib.sh
. /host/xen/traffic.sh

# In the guest alone, so that nothing slows it down.
reload_often() {
	GUEST_TIMEOUT=240 guest "$1" "
		for i in \$(seq 20); do
			$(unload_command) || { echo \"unload \$i failed\"; exit 1; }
			modprobe $(driver_module) $DRIVER_OPTS || { echo \"load \$i failed\"; exit 1; }
			for j in \$(seq 200); do
				dev=\$(ls /sys/bus/xen/devices/vif-0/net 2>/dev/null) && break
				sleep 0.1
			done
			ip addr add $(guest_v4 "$1")/24 dev \$dev && ip link set \$dev up || exit 1
			sleep 0.3
		done"
}

for type in $GUEST_TYPES; do
	ktap_test "$type: connected" use_guest "$type"
	ktap_test "$type: 20 reloads under traffic" under_traffic "$type" reload_often "$type"
done
ktap_end
