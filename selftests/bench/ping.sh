#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Measures how long a ping takes while its guest sends as much as it can over
# TCP, with each driver. In a plain lab: what waits in queues is what counts, so
# dom0 and the guest need CPUs of their own. Wall time; only ratios are of use.
#
# Settings besides those of lib.sh: DRIVERS; ROWS, ping or ping-KBk: the same with
# byte queue limits of so many KB at most, which the stock driver does not heed.

. /host/xen/lib.sh

PINGS=1000

start() {
	# shellcheck disable=SC2034 # lib.sh reads it
	local DRIVER=$2
	create_guest "$1" "$type" memory=256
	load_driver "$1" ''
	guest_addr "$1"
}

# limit_queue GUEST ROW: ping-64k sets a limit, ping none.
limit_queue() {
	local limit=max
	[[ $2 != *-*k ]] || limit=$((${2//[^0-9]/} * 1024))
	guest "$1" "echo $limit >/sys/class/net/$(netif "$1")/queues/tx-0/byte_queue_limits/limit_max"
}

# ping_under_load TYPE DRIVER GUEST ROW
ping_under_load() {
	local at=$LAB_STATE/ping sorted began bytes sent rate
	sent=/sys/class/net/vif$(domid "$3").0/statistics/rx_bytes
	limit_queue "$3" "$4"
	peer iperf3 -s -1 -D
	wait_for 10 "iperf3 to listen" eval 'peer ss -ltn | grep -q :5201'
	guest_bg "$3" bulk "iperf3 -c $(remote_v4) -P 8 -t 600"
	sleep 3
	began=${EPOCHREALTIME/./} bytes=$(<"$sent")
	peer ping -i 0.02 -c "$PINGS" -W 5 "$(guest_v4 "$3")" >"$at"
	rate=$((($(<"$sent") - bytes) * 1000000 / (${EPOCHREALTIME/./} - began)))
	guest "$3" "pidof iperf3 >/dev/null && killall iperf3"
	sorted=$(sed -n 's/.* time=\([0-9.]*\) ms.*/\1/p' "$at" | sort -n)
	(($(wc -l <<<"$sorted") > PINGS * 9 / 10)) || fail "of $PINGS pings came back: $(wc -l <<<"$sorted")"
	printf '{"type":"%s","driver":"%s","row":"%s","run":1,"p50":%s,"p99":%s,"rate":%s}\n' "$1" "$2" \
		"$4" "$(at_percent 50 <<<"$sorted")" "$(at_percent 99 <<<"$sorted")" "$rate" |
		tee -a /host/log/bench.jsonl
}

at_percent() { awk -v p="$1" '{ value[NR] = $1 } END { print value[int((NR * p + 99) / 100)] }'; }

# shellcheck disable=SC2153 # DRIVERS comes from the host
for type in $GUEST_TYPES; do
	for driver in $DRIVERS; do
		ktap_test "a $type guest with $driver" start "$type-$driver" "$driver"
		for row in $ROWS; do
			ktap_test "$type $row, $driver" ping_under_load "$type" "$driver" \
				"$type-$driver" "$row"
		done
		destroy_guest "$type-$driver"
	done
done
ktap_end
