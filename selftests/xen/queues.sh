#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Defends multi-queue: as many queues as the backend offers and the guest has
# CPUs for, each with its own rings, and data whole through all of them.

. /host/xen/lib.sh
. /host/xen/traffic.sh

has_queues() {
	local dev queues
	dev=$(netif "$1")
	queues=$(guest "$1" "ls -d /sys/class/net/$dev/queues/tx-* | wc -l")
	echo "$queues TX queues, xenstore says $(frontend_key "$1" 0 multi-queue-num-queues || echo none)"
	((queues == $2))
	[[ $(frontend_key "$1" 0 multi-queue-num-queues) == "$2" ]]
	(($2 == 1)) || frontend_key "$1" 0 "queue-$(($2 - 1))/tx-ring-ref"
}

# Eight at a time, four each way, after which each queue has sent and received.
parallel_streams() {
	GUEST_TIMEOUT=150 guest "$1" "
		pids=
		for i in 1 2 3 4; do
			/lab/netcheck send $(remote_v4) $PORT 1000000 \$i & pids+=\" \$!\"
			/lab/netcheck fetch $(remote_v6) $PORT 1000000 \$i & pids+=\" \$!\"
		done
		for pid in \$pids; do wait \$pid || exit 1; done
		ethtool -S $(netif "$1") | grep packets" | tee "$LAB_STATE/packets"
	(($(grep -cE '[rt]x_queue_[0-9]+_packets: [1-9]' "$LAB_STATE/packets") == 2 * $2))
}

# The guest reads its CPUs' own clocks: emulating rdtsc made one in two PVH guests of
# two CPUs end in a triple fault, and takes a third of the time.
new_guest() {
	offer_queues "$2"
	destroy_guest mq
	create_guest mq "$1" vcpus=2 xlextra='tsc_mode = "native"'
}

# with_queues NAME QUEUES OPTIONS: by loading the driver anew.
with_queues() {
	! netif "$1" || unload_driver "$1"
	load_driver "$1" "$DRIVER_OPTS $3"
	guest_addr "$1"
	serve "$1"
	has_queues "$1" "$2"
	parallel_streams "$1" "$2"
	both_ways "$1" 1000000 4 6
}

for type in $GUEST_TYPES; do
	ktap_test "$type: two CPUs, four queues offered" new_guest "$type" 4
	ktap_test "$type: two queues, one for each CPU" with_queues mq 2 ''
	ktap_test "$type: one queue wanted" with_queues mq 1 max_queues=1
done
destroy_guest mq
offer_queues 1
ktap_end
