#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Defends XDP on the vif: each verdict does what it says, to the very bytes, and
# the room before and behind a frame is there as promised.

. /host/xen/lib.sh
. /host/xen/traffic.sh
. /host/xen/xdp-lib.sh

v4_and_v6() {
	both_ways "$1" 500000 4
	both_ways "$1" 500000 6
	udp_sizes "$1" 0 1452 121 6
}

feature() { guest "$1" "ethtool -k $(netif "$1")" | sed -n "s/^$2: \([a-z]*\).*/\1/p"; }

passes() {
	v4_and_v6 "$1"
	[[ $(feature "$1" rx-checksumming) == off ]]
	[[ $(feature "$1" rx-gro-hw) == off ]]
}

features_are_back() {
	[[ $(feature "$1" rx-checksumming) == on ]]
	[[ $(feature "$1" rx-gro-hw) == on ]]
	both_ways "$1" 300000
}

# grew WHAT BEFORE AFTER BY
grew() {
	echo "$1: from $2 to $3, expected $4 more"
	(($3 - $2 == $4))
}

# netcheck tries 8 times before it gives up.
drops() {
	local dropped errors received
	dropped=$(counter "$1" xdp_drop) errors=$(link_counter "$1" rx_dropped)
	received=$(link_counter "$1" rx_packets)
	if raw "$1" 200 200 1; then fail "a dropped frame came back"; fi
	grew "xdp_drop" "$dropped" "$(counter "$1" xdp_drop)" 8
	grew "the program's count" 0 "$(hits "$1")" 8
	grew "rx_dropped" "$errors" "$(link_counter "$1" rx_dropped)" 0
	(($(link_counter "$1" rx_packets) - received >= 8))
	both_ways "$1" 300000
}

# unknown verdicts are drops
drops_invalid() {
	local dropped
	dropped=$(counter "$1" xdp_drop)
	if raw "$1" 200 200 1; then fail "a frame with an unknown verdict came back"; fi
	grew "xdp_drop" "$dropped" "$(counter "$1" xdp_drop)" 8
}

# Checksums that nobody stated are verified by the stack there.
through_cpu() {
	local before
	guest "$1" "bpftool map update pinned $FS/maps/cpus key 0 0 0 0 value 192 0 0 0 0 0 0 0"
	before=$(counter "$1" xdp_redirect)
	v4_and_v6 "$1"
	(($(counter "$1" xdp_redirect) > before))
}

# In no size of these is the last fragment's page full: there is room to grow.
reflects_jumbo() {
	reflects "$1" 3000 9000 179
	both_ways "$1" 1000000 4
	both_ways "$1" 1000000 6
}

jumbo() {
	local attempt
	path_mtu "$1" 9000
	attempt with_program "$1" "$2" reflects_jumbo "$1"
	path_mtu "$1" 1500
	return "$attempt"
}

for type in $GUEST_TYPES; do
	ktap_test "$type: connected" use_guest "$type"
	ktap_test "$type: the programs load" load_programs "$type"
	ktap_test "$type: PASS, checksums and features" with_program "$type" pass passes "$type"
	ktap_test "$type: detached, features are back" features_are_back "$type"
	ktap_test "$type: DROP counts" with_program "$type" drop drops "$type"
	ktap_test "$type: an unknown verdict drops" with_program "$type" invalid drops_invalid "$type"
	ktap_test "$type: TX sends frames back" with_program "$type" swap reflects "$type" 60 1514 11
	ktap_test "$type: room before and behind a frame" with_program "$type" room reflects "$type" 60 1498 41
	ktap_test "$type: REDIRECT to a veth and back" through_ports "$type" to_port0 to_port1 7
	ktap_test "$type: REDIRECT to a CPU map" with_program "$type" to_cpu through_cpu "$type"
	ktap_test "$type: fragments" jumbo "$type" swap_frags
	ktap_test "$type: fragments, with room" jumbo "$type" room_frags
done
ktap_end
