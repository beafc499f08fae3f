#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Defends connecting anew while the guest floods the vif: 20 times with answers coming
# in, 20 times with a full ring. A poll that wakes a queue just stopped lets a sender
# meet a vif without queues. Nothing may stay behind, and what the backend said before
# is not taken for its leaving, after which a vif waits, up to a minute. What was not
# answered is sent again and the neighbours are told, at once. And to a backend that
# took another's place before the guest could see that.

# shellcheck source=selftests/xen/lib.sh disable=SC2119,SC2317
. /host/xen/lib.sh
# shellcheck source=selftests/xen/traffic.sh
. /host/xen/traffic.sh
# shellcheck source=selftests/xen/policy-lib.sh
. /host/xen/policy-lib.sh

DISCARD=9
# Bytes of frames on their way: some; and nearly a ring of 256.
FLOWING=342 FULL=$((200 * 342))

# BQL would keep the ring nearly empty, and one socket's buffer has room for fewer
# packets than a ring; they are longer than what is copied, so that grants end.
flood_on() {
	guest "$1" "echo 1000000 >/sys/class/net/$(netif "$1")/queues/tx-0/byte_queue_limits/limit_min
		touch /tmp/flood
		for socket in 1 2 3; do
			(while [ -e /tmp/flood ]; do
				socat -u -b 300 /dev/zero UDP4-DATAGRAM:$(remote_v4):$DISCARD
				sleep 0.1
			done) >/dev/null 2>&1 &
		done"
}

flood_off() {
	guest "$1" "rm -f /tmp/flood; killall socat
		echo 0 >/sys/class/net/$(netif "$1")/queues/tx-0/byte_queue_limits/limit_min"
}

# What the backend takes of a guest at most, as rate= of a vif's line says it: bytes
# in so many microseconds.
throttle() { backend_key "$1" 0 rate "$2"; }
UNLIMITED=4294967295,0

# connect_often NAME BYTES: once so much is on its way, each time. Receive offloads
# are said once per connection; in the guest alone.
connect_often() {
	GUEST_TIMEOUT=200 guest "$1" "
		$SHOWS
		dev=$(netif "$1")
		sends() {
			for tries in \$(seq 300); do
				read -r bytes </sys/class/net/\$dev/queues/tx-0/byte_queue_limits/inflight
				[ \$bytes -ge $2 ] && return
				sleep 0.02
			done
			echo \"round \$i: not more than \$bytes bytes on their way\"
			exit 1
		}
		for i in \$(seq 10); do
			sends
			ethtool -K \$dev rx-gro-hw off && shows feature-gso-tcpv4 0 || exit 1
			sends
			ethtool -K \$dev rx-gro-hw on && shows feature-gso-tcpv4 1 || exit 1
		done"
}

# Each channel that was left behind keeps its line there.
interrupts() { guest "$1" "grep -c vif-0-q /proc/interrupts"; }

left_by_backend() { guest "$1" "dmesg | grep -c 'vif-0: connecting anew .* the backend closed' || true"; }

# survives_flood NAME BYTES RATE
survives_flood() {
	local attempt left
	left=$(left_by_backend "$1")
	throttle "$1" "$3"
	flood_on "$1"
	attempt connect_often "$1" "$2"
	flood_off "$1"
	throttle "$1" "$UNLIMITED"
	((attempt == 0)) || return "$attempt"
	[[ $(left_by_backend "$1") == "$left" ]] || fail "the backend was thought to leave"
	both_ways "$1" 1000000 4 6
	[[ $(interrupts "$1") == 2 ]]
}

# 20 sets of receive buffers are 5 MiB at least, the packets of 20 full rings too.
with_answers() { leaks_less "$1" 3072 survives_flood "$1" "$FLOWING" "$UNLIMITED"; }
with_full_rings() { leaks_less "$1" 3072 survives_flood "$1" "$FULL" 700,4000; }

# anew: an order for a guest, which connects once.
anew() { printf '%s' "$SHOWS
	dev=$(netif "$1")
	case \$(xenstore-read device/vif/0/feature-gso-tcpv4) in
	1) ethtool -K \$dev rx-gro-hw off && shows feature-gso-tcpv4 0 ;;
	0) ethtool -K \$dev rx-gro-hw on && shows feature-gso-tcpv4 1 ;;
	esac"; }

# By a gratuitous ARP, of which the peer makes a neighbour here, stale at first, as it
# has not asked. A switch learns by it where a guest has gone that was migrated.
peer_knows() { peer "$IP" neigh show "$(guest_v4 "$1")" | grep -qi "$(vif_mac "$(guest_number "$1")" 0).* STALE"; }
tells_neighbours() {
	local attempt
	peer sysctl -qw net.ipv4.conf.peer0.arp_accept=1
	sleep 1.5	# what came before, the kernel's watch over links too, is over
	peer "$IP" neigh flush all
	attempt "$2" "$1"
	((attempt != 0)) || attempt wait_for 10 "a gratuitous ARP of $1" peer_knows "$1"
	peer sysctl -qw net.ipv4.conf.peer0.arp_accept=0
	return "$attempt"
}
by_setting() { guest "$1" "$(anew "$1")"; }
by_restore() {
	save_guest "$1"
	restore_guest "$1"
	wait_for 60 "the vif to connect" vif_is "$1" 0 4
}

# What a slow backend has not answered goes to the next one: 40 datagrams, longer than
# what is copied, for which it takes seconds, as the rate holds for the next one too.
sends_again() {
	local attempt
	listen 6666
	throttle "$1" 1500,400000
	guest "$1" "echo 1000000 >/sys/class/net/$(netif "$1")/queues/tx-0/byte_queue_limits/limit_min
		for i in \$(seq 40); do
			printf '%300s again %d.\n' '' \$i >/dev/udp/$(remote_v4)/6666
		done
		$(anew "$1")
		echo 0 >/sys/class/net/\$dev/queues/tx-0/byte_queue_limits/limit_min"
	echo "$(arrived again) have arrived"
	attempt wait_for 60 "40 datagrams" all_arrived again 40
	echo "$(arrived again) have arrived"
	throttle "$1" "$UNLIMITED"
	listen_no_more
	return "$attempt"
}

# Until its script is done the new backend is in InitWait, and the vif leads nowhere. That
# is seen at once, not by the transmit watchdog after 10 s.
replaced_unseen() {
	xl pause "$G"
	kill_backend
	backend_name >/sys/bus/xen-backend/drivers/vif/bind
	wait_for 10 "the new backend" vif_is "$G" 0 2 backend
	xl unpause "$G"
	orders 'await 5 no_carrier vif-0 || fail "carrier, with a backend that is not connected"'
	vif_is "$G" 0 2 backend
	plug_backend 0
	orders 'connected; await 20 carrier vif-0 || fail "no carrier"'
	both_ways "$G" 1000000 4 6
}

for type in $GUEST_TYPES; do
	G=$type
	ktap_test "$type: connected" use_guest "$type"
	ktap_test "$type: 20 times connected anew under a flood" with_answers "$type"
	ktap_test "$type: 20 times connected anew with a full ring" with_full_rings "$type"
	ktap_test "$type: packets not answered are sent again" sends_again "$type"
	ktap_test "$type: neighbours are told, connected anew" tells_neighbours "$type" by_setting
	ktap_test "$type: neighbours are told, restored" tells_neighbours "$type" by_restore
	ktap_test "$type: a backend replaced unseen" replaced_unseen
done
ktap_end
