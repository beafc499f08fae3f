#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Defends multi-queue: as many queues as the backend offers and the guest has
# CPUs for, or is told, each with its own rings, and data whole through all of them.

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

# Eight at a time, four each way.
streams() {
	GUEST_TIMEOUT=150 guest "$1" "
		pids=
		for i in 1 2 3 4; do
			/lab/netcheck send $(remote_v4) $PORT 1000000 \$i & pids+=\" \$!\"
			/lab/netcheck fetch $(remote_v6) $PORT 1000000 \$i & pids+=\" \$!\"
		done
		for pid in \$pids; do wait \$pid || exit 1; done
		ethtool -S $(netif "$1") | grep packets" | tee "$LAB_STATE/packets"
}

# After which each queue has sent and received. By chance, one in 60, a queue had none.
parallel_streams() {
	local tries
	for tries in 1 2 3; do
		streams "$1"
		(($(grep -cE '[rt]x_queue_[0-9]+_packets: [1-9]' "$LAB_STATE/packets") != 2 * $2)) || return 0
		echo "try $tries: not each of $2 queues has sent and received"
	done
	return 1
}

# QEMU's SVM ends PVH and HVM guests of several CPUs in a triple fault now and then.
cpus() { if [[ $1 == pv ]]; then echo 2; else echo 1; fi; }

# The guest reads its CPUs' own clocks, as emulating rdtsc takes a third of the time.
new_guest() {
	offer_queues 4
	destroy_guest mq
	create_guest mq "$1" vcpus="$(cpus "$1")" xlextra='tsc_mode = "native"'
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
	by_cpus=$(cpus "$type") told=$((3 - by_cpus))
	ktap_test "$type: four queues offered" new_guest "$type"
	ktap_test "$type: as many as CPUs, $by_cpus" with_queues mq "$by_cpus" ''
	ktap_test "$type: as many as told, $told" with_queues mq "$told" max_queues=$told
done
destroy_guest mq
offer_queues 1
ktap_end
