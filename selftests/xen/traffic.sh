# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Traffic between a guest and the peer, checked by content (netcheck), for the
# scenarios to source after lib.sh.

PORT=7777
NETCHECK=/host/lab/netcheck

# use_guest TYPE: a guest of that type with one vif, connected, with its
# addresses and a server at both ends; the one a scenario before left, if any.
use_guest() {
	local name=$1
	if [[ ! -e $LAB_STATE/$name.domid ]] || ! GUEST_TIMEOUT=10 guest "$name" true; then
		destroy_guest "$name"
		create_guest "$name" "$name" vcpus="${VCPUS:-1}"
	fi
	netif "$name" || load_driver "$name"
	guest_addr "$name"
	serve "$name"
}

# serve NAME: netcheck's server in the guest and in the peer. What came of a client that
# is not heard of any more keeps pages of the vif's pool, and the kernel complains of
# those that a former connection misses for 60 seconds: so that in the guest waits less
# for a silent client, unless PATIENCE says how many seconds. The peer's waits two minutes.
serve() {
	local patience=${PATIENCE:-40}
	guest "$1" "if [ \"\$(cat /tmp/patience 2>/dev/null)\" != $patience ]; then
			for i in \$(seq 50); do killall netcheck 2>/dev/null || break; sleep 0.1; done
		fi
		pidof netcheck >/dev/null && exit
		echo $patience >/tmp/patience
		setsid /lab/netcheck serve $PORT $patience >/dev/null 2>&1 &"
	if [[ ! -e $LAB_STATE/serving ]]; then
		setsid "$IP" netns exec peer "$NETCHECK" serve $PORT 120 </dev/null >/dev/null 2>&1 &
		touch "$LAB_STATE/serving"
	fi
}

# both_ways NAME BYTES [4] [6]: guest to peer, then peer to guest, over v4 unless told.
both_ways() {
	local family bytes=$2 name=$1 orders=true
	shift 2
	(($#)) || set -- 4
	for family; do
		orders+=" && /lab/netcheck send $("remote_v$family") $PORT $bytes $RANDOM"
	done
	GUEST_TIMEOUT=120 guest "$name" "$orders"
	for family; do
		timeout 120 "$IP" netns exec peer "$NETCHECK" send "$("guest_v$family" "$name")" \
			$PORT "$bytes" $RANDOM
	done
}

# listen PORT: the text of datagrams to the peer's port is kept, to listen_no_more.
RECEIVED=$LAB_STATE/received
listen() {
	: >"$RECEIVED"
	setsid "$IP" netns exec peer socat -u "UDP4-RECV:$1" "OPEN:$RECEIVED,append" \
		</dev/null >/dev/null 2>&1 &
	echo $! >"$RECEIVED.pid"
}
listen_no_more() { kill "$(cat "$RECEIVED.pid")"; }

# arrived TAG: of the lines "TAG NUMBER." in it, how many numbers; all_arrived TAG COUNT.
arrived() { grep -oE "\b$1 [0-9]+\. *$" "$RECEIVED" | sort -u | wc -l; }
all_arrived() { (($(arrived "$1") == $2)); }

# udp_sizes NAME FROM TO STEP [4|6]: each payload size there and back.
udp_sizes() {
	local remote
	remote=$(remote_v4)
	[[ ${5:-4} == 4 ]] || remote=$(remote_v6)
	GUEST_TIMEOUT=200 guest "$1" "/lab/netcheck sweep $remote $PORT $2 $3 $4"
}

# traffic_on NAME: a steady stream of transfers both ways, which may fail,
# until traffic_off; a few hundred KB/s each, as an emulated CPU has other work too.
traffic_on() {
	touch "$LAB_STATE/$1.traffic"
	setsid bash -c "while [[ -e $LAB_STATE/$1.traffic ]]; do
		timeout 5 $IP netns exec peer $NETCHECK send $(guest_v4 "$1") $PORT 400000 1 100
		sleep 0.1
	done" </dev/null >/dev/null 2>&1 &
	guest "$1" "touch /tmp/traffic; (while [ -e /tmp/traffic ]; do
		timeout 5 /lab/netcheck send $(remote_v4) $PORT 400000 2 100; sleep 0.1; done) >/dev/null 2>&1 &"
}

traffic_off() {
	rm -f "$LAB_STATE/$1.traffic"
	guest "$1" 'rm -f /tmp/traffic'
}

# under_traffic NAME COMMAND...: runs it, then proves that the path is whole.
under_traffic() {
	local name=$1 attempt
	shift
	traffic_on "$name"
	attempt "$@"
	traffic_off "$name"
	((attempt == 0)) || return "$attempt"
	netif "$name"
	guest_addr "$name"
	both_ways "$name" 1000000
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

# csum_errors COMMAND...: how many packets with a bad checksum the receiver
# counted that COMMAND runs a shell line on.
csum_errors() {
	"$@" 'cat /proc/net/snmp /proc/net/snmp6' | awk '
		$1 == "Tcp:" || $1 == "Udp:" {
			if ($2 ~ /^[A-Za-z]/) {
				split("", col)
				for (i = 2; i <= NF; i++) col[$i] = i
			} else if (col["InCsumErrors"]) {
				sum += $col["InCsumErrors"]
			}
		}
		$1 ~ /InCsumErrors$/ { sum += $2 }
		END { print sum + 0 }'
}

free_memory() { guest "$1" "echo 3 >/proc/sys/vm/drop_caches; awk '/^MemFree/ { print \$2 }' /proc/meminfo"; }

# leaks_less NAME KIB COMMAND...: runs it, after which no more than that is missing.
leaks_less() {
	local name=$1 most=$2 before after
	shift 2
	before=$(free_memory "$name")
	"$@"
	after=$(free_memory "$name")
	echo "$before KiB free before, $after after"
	((before - after < most))
}

# For loops inside a guest: "shows KEY VALUE" waits until the vif is connected with
# that key of the frontend's.
# shellcheck disable=SC2016,SC2034
SHOWS='shows() {
	for tries in $(seq 300); do
		[ "$(xenstore-read device/vif/0/$1)" = "$2" ] &&
			[ "$(xenstore-read device/vif/0/state)" = 4 ] && return
		sleep 0.05
	done
	echo "round $i: not connected with $1=$2"
	exit 1
}'
