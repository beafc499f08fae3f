#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Defends multi-queue: as many queues as the backend offers and the guest has
# CPUs for, each with its own rings, and data whole through all of them.

. /host/xen/lib.sh
. /host/xen/traffic.sh

offer() { echo "$1" >/sys/module/xen_netback/parameters/max_queues; }

frontend_key() { xenstore-read "/local/domain/$(domid "$1")/device/vif/0/$2" 2>/dev/null; }

has_queues() {
	local dev queues
	dev=$(netif "$1")
	queues=$(guest "$1" "ls -d /sys/class/net/$dev/queues/tx-* | wc -l")
	echo "$queues TX queues, xenstore says $(frontend_key "$1" multi-queue-num-queues || echo none)"
	((queues == $2))
	if (($2 > 1)); then
		[[ $(frontend_key "$1" multi-queue-num-queues) == "$2" ]]
		frontend_key "$1" "queue-$(($2 - 1))/tx-ring-ref"
	fi
}

parallel_streams() {
	local i
	for i in 1 2 3 4; do
		guest_bg "$1" "stream$i" "/lab/netcheck send $(remote_v4) $PORT 2000000 $i"
		guest_bg "$1" "fetch$i" "/lab/netcheck fetch $(remote_v6) $PORT 2000000 $i"
	done
	for i in 1 2 3 4; do
		guest_join "$1" "stream$i" 100
		guest_join "$1" "fetch$i" 100
	done
}

with_queues() {
	offer "$2"
	destroy_guest mq
	create_guest mq "$1" vcpus=2
	load_driver mq
	guest_addr mq
	serve mq
	has_queues mq "$(($2 < 2 ? $2 : 2))"
	parallel_streams mq
	both_ways mq 2000000
}

for type in $GUEST_TYPES; do
	[[ $type != hvm ]] || continue
	ktap_test "$type: one queue" with_queues "$type" 1
	ktap_test "$type: four offered, two CPUs, two queues" with_queues "$type" 4
done
destroy_guest mq
offer 1
ktap_end
