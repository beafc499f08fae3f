#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Measures what two queues receive against one, in a guest of two CPUs that has much
# to do with each packet: 300 filters at ingress, no GRO. Eight TCP streams, wall
# time; needs two emulated CPUs. Not a part of make bench:
#
#   scripts/lab/run --suite selftests/bench --types pv queues

. /host/xen/lib.sh

FILTERS=300
SECONDS_EACH=10

start() {
	offer_queues 2
	create_guest q "$type" vcpus=2 xlextra='tsc_mode = "native"'
	load_driver q
	guest_addr q
	# shellcheck disable=SC2016 # the guest's
	guest q "dev=$(netif q)"'
		ethtool -K $dev gro off rx-gro-hw off && tc qdisc add dev $dev ingress || exit
		for pref in $(seq '$FILTERS'); do
			echo "filter add dev $dev ingress pref $pref matchall action continue"
		done | tc -batch -'
}

# receives QUEUES
receives() {
	local began bytes dev rx
	dev=$(netif q)
	guest q "ethtool -L $dev combined $1 || [ \$(ls -d /sys/class/net/$dev/queues/rx-* | wc -l) = $1 ]"
	wait_for 30 "the guest to answer" peer ping -c 1 -W 1 "$(guest_v4 q)"
	peer iperf3 -s -1 -D
	wait_for 10 "iperf3 to listen" eval 'peer ss -ltn | grep -q :5201'
	guest_bg q bulk "iperf3 -c $(remote_v4) -R -P 8 -t 600"
	sleep 3
	rx="cat /sys/class/net/$dev/statistics/rx_bytes"
	bytes=$(guest q "$rx") began=${EPOCHREALTIME/./}
	sleep "$SECONDS_EACH"
	bytes=$((($(guest q "$rx") - bytes) * 1000 / (${EPOCHREALTIME/./} - began)))
	guest q "pidof iperf3 >/dev/null && killall iperf3"
	echo "# queues: $1, received: $bytes KB/s" | tee -a /host/log/queues
}

for type in $GUEST_TYPES; do
	ktap_test "a $type guest of two CPUs" start
	for run in 1 2 3; do
		for queues in 1 2; do
			ktap_test "$type, $queues of 2 queues, run $run of 3" receives "$queues"
		done
	done
	destroy_guest q
done
ktap_end
