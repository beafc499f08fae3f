#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Measures what a packet costs with each driver. Runs in dom0 of a lab started
# with --icount, where a nanosecond of CPU time is an instruction; writes one
# line of JSON for each measurement to /host/log/bench.jsonl.
#
# Settings besides those of lib.sh: ROWS, DRIVERS, RUNS, UNTRUSTED_ROWS.
#
# A driver is stock, lite, or either with -untrusted behind it, for its option
# trusted=0, which both drivers have.

. /host/xen/lib.sh

OUT=/host/log/bench.jsonl
# Nobody's hardware address: dom0 drops frames to it as soon as it sees them.
NOBODY=02:00:00:00:00:99

# row NAME: its load, frame size, count, and the device whose counters are read.
row() {
	local count=${1#*@} row=${1%@*} size
	[[ $1 == *@* ]] || count=''
	size=$(tr -dc 0-9 <<<"$row")
	case $row in
	send-*) echo "send $size ${count:-40000} vif" ;;
	dummy-*) echo "send $size ${count:-40000} dummy" ;;
	recv-*-paced) echo "paced $size ${count:-3000} vif" ;;
	recv-*) echo "receive $size ${count:-20000} vif" ;;
	drop-*) echo "elsewhere $size ${count:-20000} drop" ;;
	forward-*) echo "elsewhere $size ${count:-20000} forward" ;;
	tcp-send) echo "tcp-send 64 ${count:-67108864} vif" ;;
	tcp-recv) echo "tcp-receive 64 ${count:-67108864} vif" ;;
	tcp-rr) echo "transactions 64 ${count:-2000} vif" ;;
	*) fail "no row '$1'" ;;
	esac
}

# shellcheck disable=SC2153 # ROWS comes from the host
needs_second_vif() { [[ " $ROWS $UNTRUSTED_ROWS " == *" forward-"* ]] && echo 2 || echo 1; }

# The guest's first vif leaves the bridge: dom0 is its only neighbour, at
# 10.N.0.1 and fd00:N::1 (N: 60 + the guest's number), and whatever is sent to
# .99 is dropped. Its second vif leads to nobody. IPv6 is there for the control
# connection of rows in which the guest drops what is IPv4.
wire() {
	local name=$1 net vif dev dev1
	net=10.$((60 + $(guest_number "$name")))
	vif=vif$(domid "$name").0
	dev=$(netif "$name")
	$IP link set "$vif" nomaster
	$IP addr flush dev "$vif"
	$IP addr add "$net.0.1/24" dev "$vif"
	$IP addr add "fd00:${net#10.}::1/64" dev "$vif" nodad
	$IP link set "$vif" up
	guest "$name" "sysctl -qw net.ipv4.ip_forward=1 net.core.rmem_max=67108864
		ip addr flush dev $dev; ip addr add $net.0.10/24 dev $dev
		ip addr add fd00:${net#10.}::10/64 dev $dev nodad; ip link set $dev up
		ip neigh replace $net.0.99 lladdr $NOBODY dev $dev nud permanent
		ip link show dummy0 >/dev/null 2>&1 || modprobe dummy
		ip addr replace $net.2.10/24 dev dummy0; ip link set dummy0 up
		ip neigh replace $net.2.99 lladdr $NOBODY dev dummy0 nud permanent
		pidof benchload >/dev/null || setsid /lab/benchload >/tmp/benchload.log 2>&1 </dev/null &"
	if [[ $(needs_second_vif) == 2 ]]; then
		dev1=$(netif "$name" 1)
		$IP link set "vif$(domid "$name").1" nomaster up
		guest "$name" "ip addr flush dev $dev1; ip addr add $net.1.10/24 dev $dev1
			ip link set $dev1 up
			ip neigh replace $net.1.99 lladdr $NOBODY dev $dev1 nud permanent"
		$IP route replace "$net.1.0/24" via "$net.0.10"
	fi
	wait_for 20 "$name to answer" ping -c 1 -W 1 "$net.0.10"
}

# start TYPE DRIVER ROWS
start() {
	local type=$1 name=$1-$2 options='' run DRIVER
	# shellcheck disable=SC2034 # lib.sh reads it
	DRIVER=${2%-untrusted}
	[[ $2 != *-untrusted ]] || options=trusted=0
	offer_queues 2
	create_guest "$name" "$type" vifs="$(needs_second_vif)" memory=256 xlextra='tsc_mode = "native"'
	load_driver "$name" "$options"
	if [[ " $3 " == *" memory "* ]]; then
		for ((run = 1; run <= RUNS; run++)); do
			measure_memory "$type" "$2" "$run" "$options"
		done
		unload_driver "$name"
		load_driver "$name" "$options"
	fi
	wire "$name"
	warm_up "$1" "$2"
}

# What is done for the first time costs more: caches of slabs and pages fill.
warm_up() {
	local OUT=/dev/null row
	for row in send-64@5000 recv-64@5000 tcp-{send,recv}@16777216; do
		measure "$1" "$2" "$row" 0
	done
}

# Pages of the guest that are free, those on a CPU's list too, once all caches that
# can be are given back.
free_pages() {
	guest "$1" "sleep 1; echo 3 >/proc/sys/vm/drop_caches
		awk '\$1 == \"nr_free_pages\" || \$1 == \"count:\" { pages += \$2 } END { print pages }' \
			/proc/zoneinfo"
}

# measure_memory TYPE DRIVER RUN OPTIONS: what a queue holds that is connected and has
# carried next to nothing: rings, buffers, skbs. By what less is free where each vif has
# two queues than where it has one, so that the net_device is not in it; before any
# load, as what that leaves in caches is freed late.
measure_memory() {
	local name=$1-$2 queues dev free=()
	for queues in 1 2; do
		unload_driver "$name"
		load_driver "$name" "$4 max_queues=$queues"
		dev=$(netif "$name")
		guest "$name" "ip link set $dev up && ls -d /sys/class/net/$dev/queues/rx-$((queues - 1))"
		free+=("$(free_pages "$name")")
	done
	printf '{"type":"%s","driver":"%s","row":"memory","run":%d,"bytes":%d}\n' \
		"$1" "$2" "$3" $(((free[0] - free[1]) * 4096 / $(needs_second_vif))) | tee -a "$OUT"
}

# A guest drops IPv4 at ingress, or no longer.
drop_ipv4() { guest "$1" "tc qdisc add dev $2 ingress && tc filter add dev $2 ingress protocol ip matchall action drop"; }
drop_nothing() { guest "$1" "tc qdisc del dev $2 ingress"; }

# measure TYPE DRIVER ROW RUN
measure() {
	local name=$1-$2 net target load size count device dev vif=0 at result failed
	read -r load size count device <<<"$(row "$3")"
	net=10.$((60 + $(guest_number "$name"))) at=$net.0.10
	[[ $device != forward ]] || vif=1
	dev=$(netif "$name" $vif) target=$net.0.99
	case $load.$device in
	send.dummy) target=$net.2.99 dev=dummy0 ;;
	elsewhere.drop) target=$at at=fd00:${net#10.}::10 ;;
	elsewhere.forward) target=$net.1.99 ;;
	tcp-*) target=$net.0.1 ;;
	esac
	[[ $device != drop ]] || drop_ipv4 "$name" "$dev"
	failed="" result=$(timeout 600 /host/lab/benchpeer "$load" "$(domid "$name")" "$at" \
		"$target" "$dev" "vif$(domid "$name")." "$size" "$count") || failed=1
	[[ $device != drop ]] || drop_nothing "$name" "$dev"
	[[ ! $failed ]] || fail "the measurement failed"
	printf '{"type":"%s","driver":"%s","row":"%s","run":%d,"size":%d,%s\n' \
		"$1" "$2" "$3" "$4" "$size" "${result#\{}" | tee -a "$OUT"
}

# compare TYPE ROWS DRIVER...: alternating, so that whatever drifts meets all.
compare() {
	local type=$1 rows=$2 driver row run
	shift 2
	for driver in "$@"; do
		ktap_test "a $type guest with $driver" start "$type" "$driver" "$rows"
	done
	for ((run = 1; run <= RUNS; run++)); do
		for row in ${rows/memory/}; do
			for driver in "$@"; do
				# A dummy device is the same with any driver.
				[[ $row != dummy-* || $driver == "$1" ]] || continue
				ktap_test "$type $row, $driver, run $run of $RUNS" \
					measure "$type" "$driver" "$row" "$run"
			done
		done
	done
	for driver in "$@"; do destroy_guest "$type-$driver"; done
}

# shellcheck disable=SC2153,SC2086 # DRIVERS comes from the host; a list
for type in $GUEST_TYPES; do
	compare "$type" "$ROWS" $DRIVERS
	[[ ! $UNTRUSTED_ROWS ]] ||
		compare "$type" "$UNTRUSTED_ROWS" stock-untrusted lite-untrusted
done
ktap_end
