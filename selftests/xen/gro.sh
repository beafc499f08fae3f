#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Defends that datagrams pass GRO by only where GRO has no use for them, and that a
# flow keeps its order whenever that changes.

# shellcheck disable=SC2016
. /host/xen/lib.sh
. /host/xen/traffic.sh

ORDER_PORT=7780
TOLD=$LAB_STATE/order

skipped() { guest "$1" "ethtool -S $(netif "$1") | sed -n 's/.*rx_queue_0_gro_skipped: //p'"; }

# sends_to NAME plain|gro|turns: numbered datagrams from the peer; $received, $merged,
# $disorder and $skipped are what came of them.
sends_to() {
	local name=$1 before
	before=$(skipped "$name")
	guest "$name" "/lab/udporder receive $ORDER_PORT $2 >/tmp/order 2>&1 & sleep 1"
	timeout 120 "$IP" netns exec peer /host/lab/udporder send "$(guest_v4 "$name")" \
		$ORDER_PORT 20000
	guest "$name" 'for i in $(seq 50); do pidof udporder >/dev/null || break; sleep 0.1; done
		cat /tmp/order' >"$TOLD"
	skipped=$(($(skipped "$name") - before))
	echo "$(<"$TOLD"), $skipped passed GRO by"
	read -r received _ merged _ disorder _ <"$TOLD"
	((received >= 10000 && disorder == 0))
}

passes_by() {
	sends_to "$1" plain
	((merged == 0 && skipped > 0))
}

is_merged() {
	sends_to "$1" gro
	((merged > 0 && skipped == 0))
}

takes_turns() {
	sends_to "$1" turns
	((merged > 0 && skipped > 0))
}

for type in $GUEST_TYPES; do
	ktap_test "$type: connected" use_guest "$type"
	ktap_test "$type: datagrams that nobody wants merged pass GRO by, in order" passes_by "$type"
	ktap_test "$type: a socket that asks for it gets merged datagrams" is_merged "$type"
	ktap_test "$type: a socket that changes its mind gets them in order" takes_turns "$type"
done
ktap_end
