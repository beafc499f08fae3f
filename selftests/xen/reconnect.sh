#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Defends connecting anew: 20 times while the guest floods the vif, so that each
# time a full ring is taken away under a sender. A poll that wakes a queue just
# stopped lets that sender meet a vif without queues. And to a backend that took
# another's place before the guest could see that.

# shellcheck source=selftests/xen/lib.sh
. /host/xen/lib.sh
# shellcheck source=selftests/xen/traffic.sh
. /host/xen/traffic.sh
# shellcheck source=selftests/xen/policy-lib.sh
. /host/xen/policy-lib.sh

DISCARD=9

flood_on() {
	guest "$1" "touch /tmp/flood
		(while [ -e /tmp/flood ]; do
			socat -u -b 1000 /dev/zero UDP4-DATAGRAM:$(remote_v4):$DISCARD
			sleep 0.1
		done) >/dev/null 2>&1 &"
}

flood_off() { guest "$1" 'rm -f /tmp/flood; pkill socat || killall socat'; }

# Receive offloads are said once per connection; in the guest alone.
connect_often() {
	GUEST_TIMEOUT=200 guest "$1" "
		$SHOWS
		dev=$(netif "$1")
		for i in \$(seq 10); do
			ethtool -K \$dev rx-gro-hw off && shows feature-gso-tcpv4 0 || exit 1
			ethtool -K \$dev rx-gro-hw on && shows feature-gso-tcpv4 1 || exit 1
		done"
}

sent_packets() { guest "$1" "cat /sys/class/net/$(netif "$1")/statistics/tx_packets"; }

# The flood is real: more than ten rings went out meanwhile.
survives_flood() {
	local attempt before after
	before=$(sent_packets "$1")
	flood_on "$1"
	attempt connect_often "$1"
	after=$(sent_packets "$1")
	flood_off "$1"
	((attempt == 0)) || return "$attempt"
	echo "$((after - before)) packets sent"
	((after - before > 2560))
	both_ways "$1" 1000000 4 6
}

# Until its script is done the new backend is in InitWait, and the vif leads nowhere.
replaced_unseen() {
	xl pause "$G"
	kill_backend
	backend_name >/sys/bus/xen-backend/drivers/vif/bind
	wait_for 10 "the new backend" vif_is "$G" 0 2 backend
	xl unpause "$G"
	orders 'await 20 no_carrier vif-0 || fail "carrier, with a backend that is not connected"'
	vif_is "$G" 0 2 backend
	plug_backend 0
	orders 'connected; await 20 carrier vif-0 || fail "no carrier"'
	both_ways "$G" 1000000 4 6
}

for type in $GUEST_TYPES; do
	G=$type
	ktap_test "$type: connected" use_guest "$type"
	ktap_test "$type: 20 times connected anew under a flood" survives_flood "$type"
	ktap_test "$type: a backend replaced unseen" replaced_unseen
done
ktap_end
