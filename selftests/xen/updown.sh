#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Defends open and stop: the interface goes down and up under traffic, 20 times, and
# nothing that was sent is kept while it is down.

. /host/xen/lib.sh
. /host/xen/traffic.sh

toggle_often() {
	local dev
	dev=$(netif "$1")
	guest "$1" "for i in \$(seq 20); do ip link set $dev down || exit 1
		bytes=\$(cat /sys/class/net/$dev/queues/tx-0/byte_queue_limits/inflight)
		[ \$bytes = 0 ] || { echo round \$i: \$bytes bytes are kept; exit 1; }
		ip link set $dev up || exit 1; sleep 0.3; done"
}

for type in $GUEST_TYPES; do
	ktap_test "$type: connected" use_guest "$type"
	ktap_test "$type: 20 times down and up under traffic" under_traffic "$type" toggle_often "$type"
done
ktap_end
