#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Defends that each offload can be switched, as dom0 sees it on the wire between
# the backend and its bridge: packets cut or whole, checksums blank or filled.

. /host/xen/lib.sh
. /host/xen/traffic.sh

MSS=1460

# wire NAME from|to 4|6: what a transfer shows on the vif, as two words: is a
# packet larger than a segment, is a checksum blank. The content is checked too.
wire() {
	local name=$1 verb=send filter=src ip=ip mine remote dumper dump=$LAB_STATE/dump
	[[ $2 == from ]] || verb=fetch filter=dst
	mine=$(guest_v4 "$name") remote=$(remote_v4)
	[[ $3 == 4 ]] || ip=ip6 mine=$(guest_v6 "$name") remote=$(remote_v6)
	tcpdump -Z root --immediate-mode -nn -vv -i "vif$(domid "$name").0" "$ip $filter $mine and tcp" >"$dump" 2>"$dump.err" &
	dumper=$!
	wait_for 20 "tcpdump to listen" grep -q "listening on" "$dump.err" >&2 || cat "$dump.err" >&2
	GUEST_TIMEOUT=120 guest "$name" "/lab/netcheck $verb $remote $PORT 600000 $RANDOM" >&2
	kill -INT "$dumper"
	wait "$dumper" || true
	awk -v mss=$MSS '
		match($0, /length [0-9]+$/) && /Flags/ {
			size = substr($0, RSTART + 7) + 0
			if (!size) next
			data++
			if (size > mss) large++
			if (/cksum.*incorrect/) blank++
		}
		END {
			printf "%d packets, %d large, %d blank\n", data, large, blank >"/dev/stderr"
			if (data < 8) print "too few packets"
			else print (large ? "whole" : "cut"), (!blank ? "filled" : blank * 4 > data ? "blank" : "mixed")
		}' "$dump"
}

# shows NAME from|to 4|6 whole|cut blank|filled
shows() {
	local seen
	seen=$(wire "$1" "$2" "$3")
	echo "v$3 $2 the guest: $seen, expected: $4 $5"
	[[ $seen == "$4 $5" ]]
}

# both_show NAME from|to whole|cut blank|filled
both_show() {
	shows "$1" "$2" 4 "$3" "$4"
	shows "$1" "$2" 6 "$3" "$4"
}

switch() { guest "$1" "ethtool -K $(netif "$1") $2 $3"; }

# without NAME FEATURE COMMAND...: switched off for that time.
without() {
	local name=$1 feature=$2 attempt
	shift 2
	switch "$name" "$feature" off
	attempt "$@"
	switch "$name" "$feature" on
	return "$attempt"
}

# One family's switch leaves the other alone.
cuts_one() {
	shows "$1" from "$2" cut blank
	shows "$1" from "$3" whole blank
}

fills_one() {
	shows "$1" from "$2" cut filled
	shows "$1" from "$3" whole blank
}

# takes NAME on|off FEATURE...: what the backend believes that the guest takes.
takes() {
	local feature name=$1 state=$2
	shift 2
	for feature; do
		ethtool -k "vif$(domid "$name").0" | grep "^[[:space:]]*$feature: $state" || return
	done
}

# without_receive NAME FEATURE COMMAND...: the vif connects anew each time.
without_receive() {
	local name=$1 feature=$2 attempt dom0=(tx-tcp-segmentation tx-tcp6-segmentation)
	[[ $feature != rx ]] || dom0+=(tx-checksum-ipv4 tx-checksum-ipv6)
	shift 2
	switch "$name" "$feature" off
	wait_for 30 "the backend to know that $feature is off" takes "$name" off "${dom0[@]}"
	wait_for 30 "the guest to answer" peer ping -c 1 -W 1 "$(guest_v4 "$name")"
	attempt "$@"
	switch "$name" "$feature" on
	wait_for 30 "the backend to know that $feature is on" takes "$name" on "${dom0[@]}"
	wait_for 30 "the guest to answer" peer ping -c 1 -W 1 "$(guest_v4 "$name")"
	return "$attempt"
}

for type in $GUEST_TYPES; do
	ktap_test "$type: connected" use_guest "$type"
	ktap_test "$type: all on, sent" both_show "$type" from whole blank
	ktap_test "$type: all on, received" both_show "$type" to whole blank
	ktap_test "$type: tx-tcp-segmentation" without "$type" tx-tcp-segmentation cuts_one "$type" 4 6
	ktap_test "$type: tx-tcp6-segmentation" without "$type" tx-tcp6-segmentation cuts_one "$type" 6 4
	ktap_test "$type: tx-checksum-ipv4" without "$type" tx-checksum-ipv4 fills_one "$type" 4 6
	ktap_test "$type: tx-checksum-ipv6" without "$type" tx-checksum-ipv6 fills_one "$type" 6 4
	ktap_test "$type: sg" without "$type" sg both_show "$type" from cut blank
	ktap_test "$type: rx-gro-hw" without_receive "$type" rx-gro-hw both_show "$type" to cut blank
	ktap_test "$type: rx" without_receive "$type" rx both_show "$type" to cut filled
	ktap_test "$type: all on again, received" both_show "$type" to whole blank
	ktap_test "$type: all on again, sent" both_show "$type" from whole blank
done
ktap_end
