#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Defends the data: what one side sent is what the other received, for every
# frame size and offload, with checksums that the peer verifies.

. /host/xen/lib.sh
. /host/xen/traffic.sh

# In the guest: the name of the vif's netdev.
# shellcheck disable=SC2016
VIF0='$(ls /sys/bus/xen/devices/vif-0/net)'

# with_features NAME "FEATURES" COMMAND...: ethtool -K in the guest, then back.
with_features() {
	local name=$1 features=$2 attempt
	shift 2
	guest "$name" "ethtool -K $VIF0 $features"
	attempt "$@"
	guest "$name" "ethtool -K $VIF0 sg on tx on rx on tso on gso on gro on" >/dev/null 2>&1 || true
	return "$attempt"
}

v4_and_v6() { both_ways "$1" "$2" 4 6; }

every_frame() {
	local mac dev echoer status=0
	dev=$(netif "$1")
	mac=$(peer cat /sys/class/net/peer0/address)
	"$IP" netns exec peer "$NETCHECK" rawecho peer0 </dev/null >/dev/null 2>&1 &
	echoer=$!
	GUEST_TIMEOUT=120 guest "$1" "/lab/netcheck raw $dev $mac 14 1514 1" || status=$?
	kill "$echoer"
	return "$status"
}

jumbo_transfers() {
	path_mtu "$1" "$2"
	v4_and_v6 "$1" 4000000
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

trust_as_told() {
	local line
	[[ $DRIVER == lite ]] || skip "the stock driver does not say"
	line=$(guest "$1" "dmesg | grep -F ': connected to ' | tail -1")
	echo "$line"
	if [[ $DRIVER_OPTS == *trusted=0* ]]; then
		[[ $line == *"not trusted" ]]
	else
		[[ $line != *"not trusted" ]]
	fi
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
	ktap_test "$type: the backend is trusted as told" trust_as_told "$type"
	ktap_test "$type: large transfers both ways, v4 and v6" v4_and_v6 "$type" 8000000
	ktap_test "$type: without TSO and GSO" with_features "$type" "tso off gso off" v4_and_v6 "$type" 2000000
	ktap_test "$type: without GRO" with_features "$type" "gro off" v4_and_v6 "$type" 2000000
	ktap_test "$type: without SG" with_features "$type" "sg off" v4_and_v6 "$type" 2000000
	ktap_test "$type: without TX checksum" with_features "$type" "tx off" v4_and_v6 "$type" 2000000
	ktap_test "$type: every UDP payload size, v4" udp_sizes "$type" 0 1472 1
	ktap_test "$type: UDP payload sizes, v6, and fragments" udp_sizes "$type" 0 9000 37 6
	ktap_test "$type: every frame size from 14 to 1514 bytes" every_frame "$type"
	ktap_test "$type: an MTU of 9000" jumbo "$type" 9000
	ktap_test "$type: an MTU of 65000" jumbo "$type" 65000
	ktap_test "$type: the peer offloads" peer_offload "$type" on
	ktap_test "$type: the peer does not offload" peer_offload "$type" off
	peer ethtool -K peer0 tx on tso on gso on >/dev/null || true
	ktap_test "$type: nobody saw a bad checksum" no_bad_checksum "$type"
done
ktap_end
