#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Defends the data: what one side sent is what the other received, for every
# frame size and offload, with checksums that the peer verifies.

. /host/xen/lib.sh
. /host/xen/traffic.sh

# with_features NAME "FEATURES" COMMAND...: ethtool -K in the guest, then back.
with_features() {
	local name=$1 features=$2 dev attempt
	shift 2
	dev=$(netif "$name")
	guest "$name" "ethtool -K $dev $features"
	attempt "$@"
	guest "$name" "ethtool -K $dev sg on tx on rx on tso on gso on gro on" >/dev/null 2>&1 || true
	return "$attempt"
}

v4_and_v6() {
	both_ways "$1" "$2" 4
	both_ways "$1" "$2" 6
}

every_frame() {
	local mac dev echoer status=0
	dev=$(netif "$1")
	mac=$(peer cat /sys/class/net/peer0/address)
	"$IP" netns exec peer "$NETCHECK" rawecho peer0 </dev/null >/dev/null 2>&1 &
	echoer=$!
	GUEST_TIMEOUT=120 guest "$1" "/lab/netcheck raw $dev $mac 15 1514 1" || status=$?
	kill "$echoer"
	return "$status"
}

# Sets the MTU of the whole path, the guest's last on the way up.
path_mtu() {
	local dev vif
	dev=$(netif "$1")
	vif=vif$(domid "$1").0
	ip link set peer0b mtu "$2"
	peer ip link set peer0 mtu "$2"
	ip link set "$vif" mtu "$2"
	ip link set "$BRIDGE" mtu "$2"
	guest "$1" "ip link set $dev mtu $2"
}

jumbo_transfers() {
	path_mtu "$1" "$2"
	both_ways "$1" 4000000 4
	both_ways "$1" 4000000 6
	udp_sizes "$1" $((($2 - 28) % 97)) $(($2 - 28)) $((($2 - 28) / 97)) 4
	udp_sizes "$1" 1 $(($2 - 48)) $(($2 / 31)) 6
}

jumbo() {
	local attempt
	attempt jumbo_transfers "$@"
	path_mtu "$1" 1500
	return "$attempt"
}

# The peer leaves checksums blank and frames uncut, or neither.
peer_offload() {
	peer ethtool -K peer0 tx "$2" tso "$2" gso "$2" >/dev/null
	v4_and_v6 "$1" 3000000
	udp_sizes "$1" 0 1400 100
}

no_bad_checksum() {
	local there here
	there=$(csum_errors peer bash -c)
	here=$(csum_errors guest "$1")
	echo "bad checksums: $there at the peer, $here in the guest"
	((there == 0 && here == 0))
}

for type in $GUEST_TYPES; do
	ktap_test "$type: connected" use_guest "$type"
	ktap_test "$type: large transfers both ways, v4 and v6" v4_and_v6 "$type" 8000000
	ktap_test "$type: without TSO and GSO" with_features "$type" "tso off gso off" v4_and_v6 "$type" 2000000
	ktap_test "$type: without GRO" with_features "$type" "gro off" v4_and_v6 "$type" 2000000
	ktap_test "$type: without SG" with_features "$type" "sg off" v4_and_v6 "$type" 2000000
	ktap_test "$type: without TX checksum" with_features "$type" "tx off" v4_and_v6 "$type" 2000000
	ktap_test "$type: every UDP payload size, v4" udp_sizes "$type" 0 1472 1
	ktap_test "$type: UDP payload sizes, v6, and fragments" udp_sizes "$type" 0 9000 37 6
	ktap_test "$type: every frame size from 15 to 1514 bytes" every_frame "$type"
	ktap_test "$type: an MTU of 9000" jumbo "$type" 9000
	ktap_test "$type: an MTU of 65000" jumbo "$type" 65000
	ktap_test "$type: the peer offloads" peer_offload "$type" on
	ktap_test "$type: the peer does not offload" peer_offload "$type" off
	peer ethtool -K peer0 tx on tso on gso on >/dev/null || true
	ktap_test "$type: nobody saw a bad checksum" no_bad_checksum "$type"
done
ktap_end
