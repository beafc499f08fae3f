#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Measures what a packet costs with each driver. Runs in dom0 of a lab started
# with --icount, where a nanosecond of CPU time is an instruction; writes one
# line of JSON for each measurement to /host/log/bench.jsonl.
#
# Settings besides those of lib.sh: ROWS, DRIVERS, RUNS.
#
# A driver is stock, lite, or either with -untrusted behind it.

. /host/xen/lib.sh

OUT=/host/log/bench.jsonl
# Nobody's hardware address: frames to it are dropped as soon as they are seen.
NOBODY=02:00:00:00:00:99

# row NAME: its load, frame size, count, and the device whose counters are read.
row() {
	case $1 in
	send-*) echo "send ${1#*-} 20000 vif" ;;
	dummy-*) echo "send ${1#*-} 20000 dummy" ;;
	recv-*-paced) echo "paced $(tr -dc 0-9 <<<"$1") 5000 vif" ;;
	recv-*) echo "receive ${1#*-} 20000 vif" ;;
	drop-*) echo "elsewhere ${1#*-} 20000 vif" ;;
	forward-*) echo "elsewhere ${1#*-} 20000 forward" ;;
	tcp-send) echo "tcp-send 64 67108864 vif" ;;
	tcp-recv) echo "tcp-receive 64 67108864 vif" ;;
	tcp-rr) echo "transactions 64 2000 vif" ;;
	*) fail "no row '$1'" ;;
	esac
}

needs_second_vif() { [[ " $ROWS " == *" forward-"* ]] && echo 2 || echo 1; }

# The guest's first vif leaves the bridge: dom0 is its only neighbour, at
# 10.N.0.1 (N: 60 + the guest's number), and whatever is sent to .99 is dropped.
# Its second vif leads to nobody.
wire() {
	local name=$1 net vif dev dev1
	net=10.$((60 + $(guest_number "$name")))
	vif=vif$(domid "$name").0
	dev=$(netif "$name")
	$IP link set "$vif" nomaster
	$IP addr flush dev "$vif"
	$IP addr add "$net.0.1/24" dev "$vif"
	$IP link set "$vif" up
	guest "$name" "sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv4.ip_forward=1 \
			net.core.rmem_max=67108864
		ip addr flush dev $dev; ip addr add $net.0.10/24 dev $dev; ip link set $dev up
		ip neigh replace $net.0.99 lladdr $NOBODY dev $dev nud permanent
		ip link show dummy0 >/dev/null 2>&1 || modprobe dummy
		ip addr replace $net.2.10/24 dev dummy0; ip link set dummy0 up
		ip neigh replace $net.2.99 lladdr $NOBODY dev dummy0 nud permanent
		pidof benchload >/dev/null || setsid /lab/benchload >/tmp/benchload.log 2>&1 </dev/null &"
	$IP neigh replace "$net.0.98" lladdr "$NOBODY" dev "$vif" nud permanent
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

start() {
	local type=$1 name=$1-$2 options='' DRIVER
	# shellcheck disable=SC2034 # lib.sh reads it
	DRIVER=${2%-untrusted}
	[[ $2 != *-untrusted ]] || options=trusted=0
	create_guest "$name" "$type" vifs="$(needs_second_vif)" memory=256
	load_driver "$name" "$options"
	wire "$name"
	warm_up "$1" "$2"
}

# What a guest does for the first time costs more, by as much as a third in the
# first 20000 packets: not what is compared.
warm_up() {
	local OUT=/dev/null row
	for row in send-64 recv-64 tcp-send tcp-recv; do measure "$1" "$2" "$row" 0; done
}

# measure TYPE DRIVER ROW RUN
measure() {
	local name=$1-$2 net target load size count device dev result
	read -r load size count device <<<"$(row "$3")"
	net=10.$((60 + $(guest_number "$name")))
	dev=$(netif "$name") target=$net.0.99
	case $load.$device in
	send.dummy) target=$net.2.99 dev=dummy0 ;;
	elsewhere.vif) target=$net.0.98 ;;
	elsewhere.forward) target=$net.1.99 dev=$(netif "$name" 1) ;;
	tcp-*) target=$net.0.1 ;;
	esac
	result=$(timeout 600 /host/lab/benchpeer "$load" "$(domid "$name")" "$net.0.10" \
		"$target" "$dev" "vif$(domid "$name")." "$size" "$count")
	printf '{"type":"%s","driver":"%s","row":"%s","run":%d,"size":%d,%s\n' \
		"$1" "$2" "$3" "$4" "$size" "${result#\{}" | tee -a "$OUT"
}

# shellcheck disable=SC2153 # DRIVERS comes from the host
for type in $GUEST_TYPES; do
	for driver in $DRIVERS; do
		ktap_test "a $type guest with $driver" start "$type" "$driver"
	done
	for ((run = 1; run <= RUNS; run++)); do
		for row in $ROWS; do
			for driver in $DRIVERS; do
				ktap_test "$type $row, $driver, run $run of $RUNS" \
					measure "$type" "$driver" "$row" "$run"
			done
		done
	done
	for driver in $DRIVERS; do
		destroy_guest "$type-$driver"
	done
done
ktap_end
