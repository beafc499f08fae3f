#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Defends what ethtool shows and sets of a vif, in a guest of two CPUs: each word
# takes effect, what is out of bounds is refused and changes nothing, and data
# stays whole.

# shellcheck disable=SC2016
. /host/xen/lib.sh
. /host/xen/traffic.sh

G=knobs

new_guest() {
	offer_queues 4
	create_guest "$G" "$1" vcpus=2 xlextra='tsc_mode = "native"'
	load_driver "$G"
	guest_addr "$G"
	serve "$G"
}

# In the guest, with the netdev's name in $dev.
inside() { guest "$G" "dev=$(netif "$G"); cd /sys/class/net/\$dev/queues; $1"; }

# All that can be set but for offloads, as one text.
SETTINGS='shown() {
	ethtool -l $dev; ethtool -g $dev; ethtool -c $dev
	ethtool --get-tunable $dev rx-copybreak; ethtool --get-tunable $dev tx-copybreak
}'

# refused TEXT COMMAND: fails, says so, and changes nothing.
refused() {
	local said status=0
	said=$(inside "$SETTINGS
		before=\$(shown)
		$2
		status=\$?
		[ \"\$before\" = \"\$(shown)\" ] || { echo something has changed; exit 0; }
		exit \$status" 2>&1) || status=$?
	echo "status $status: $said"
	((status)) && grep -qi -- "$1" <<<"$said"
}

names_itself() {
	inside 'ethtool -i $dev' | tee "$LAB_STATE/driver"
	grep -qx 'driver: xennet_lite' "$LAB_STATE/driver"
	grep -qx 'bus-info: vif-0' "$LAB_STATE/driver"
}

# One CPU for each queue: its interrupts, and what that CPU sends.
has_queues() {
	wait_for 20 "$1 queues in xenstore" queues_in_xenstore "$1"
	wait_for 20 "vif 0 to connect" vif_is "$G" 0 4
	inside "echo tx-* rx-*; [ \$(ls -d tx-* | wc -l) = $1 ] && [ \$(ls -d rx-* | wc -l) = $1 ]"
	inside "ethtool -l \$dev | grep Combined | xargs | grep -x 'Combined: 2 Combined: $1'"
}
queues_in_xenstore() { [[ $(frontend_key "$G" 0 multi-queue-num-queues) == "$1" ]]; }

spreads_queues() {
	inside 'for queue in 0 1; do
			[ $((0x$(cat tx-$queue/xps_cpus))) = $((1 << queue)) ] || { echo "xps of $queue"; exit 1; }
			for irq in $(sed -n "s/^ *\([0-9]*\):.*vif-0-q$queue-.*/\1/p" /proc/interrupts); do
				[ $(cat /proc/irq/$irq/smp_affinity_list) = $queue ] || { echo "irq $irq"; exit 1; }
				found=$((found + 1))
			done
		done
		echo "$found interrupts"; [ "$found" = 4 ]'
}

channels() {
	has_queues 2
	spreads_queues
	under_traffic "$G" set_channels 1
	refused "exceeds maximum" 'ethtool -L $dev combined 3'
	refused "no RX or TX channel" 'ethtool -L $dev combined 0'
	has_queues 1
	under_traffic "$G" set_channels 2
	spreads_queues
}

set_channels() {
	inside "ethtool -L \$dev combined $1"
	has_queues "$1"
}

# sets OPTION WORD VALUE: says what was set.
sets() {
	inside "ethtool -$1 \$dev $2 $3; ethtool -${1,,} \$dev" | tee "$LAB_STATE/set"
	tail -n +"${4:-1}" "$LAB_STATE/set" | grep -qiE "^$2:[[:space:]]*$3$"
}

rings() {
	sets G rx 64 6
	both_ways "$G" 1000000
	refused "from 32 to 256" 'ethtool -G $dev rx 31'
	refused "exceeds maximum" 'ethtool -G $dev rx 257'
	refused "one page: 256" 'ethtool -G $dev tx 128'
	sets G rx 256 6
	both_ways "$G" 1000000
}

moderation() {
	sets C tx-frames 1
	both_ways "$G" 1000000
	refused "from 1 to 256" 'ethtool -C $dev tx-frames 0'
	refused "from 1 to 256" 'ethtool -C $dev tx-frames 257'
	refused "unsupported parameter" 'ethtool -C $dev rx-usecs 10'
	sets C tx-frames 128
}

# copies SIDE MOST: nothing copied, all that fits, and back.
copies() {
	local before value
	before=$(inside "ethtool --get-tunable \$dev $1-copybreak" | sed 's/.*: //')
	for value in 0 "$2" "$before"; do
		inside "ethtool --set-tunable \$dev $1-copybreak $value
			ethtool --get-tunable \$dev $1-copybreak" | grep -x "$1-copybreak: $value"
		both_ways "$G" 500000 4 6
		udp_sizes "$G" 0 1472 13
	done
	refused "Invalid argument" "ethtool --set-tunable \$dev $1-copybreak $(($2 + 1))"
}

# In the guest: connects anew twice, as receive offloads are said once per connection.
ANEW="$SHOWS
	ethtool -K \$dev rx-gro-hw off && shows feature-gso-tcpv4 0 || exit 1
	ethtool -K \$dev rx-gro-hw on && shows feature-gso-tcpv4 1 || exit 1"

outlives_connections() {
	set_channels 1
	inside "ethtool -G \$dev rx 64; ethtool -C \$dev tx-frames 7
		ethtool --set-tunable \$dev rx-copybreak 100
		ethtool --set-tunable \$dev tx-copybreak 60
		$SETTINGS
		before=\$(shown)
		$ANEW
		echo \"\$before\"
		echo \"\$before\" | grep -cE '^(Combined:.*1|RX:.*64|tx-frames:.*7|.x-copybreak: (100|60))\$' | grep -x 5 &&
			[ \"\$before\" = \"\$(shown)\" ]
		status=\$?
		ethtool -G \$dev rx 256; ethtool -C \$dev tx-frames 128
		ethtool --set-tunable \$dev rx-copybreak 256
		ethtool --set-tunable \$dev tx-copybreak 256
		exit \$status"
	has_queues 1
	set_channels 2
	both_ways "$G" 1000000
}

# counted: per direction, packets and bytes, as the queues' sum and as ip says.
counted() {
	inside 'ethtool -S $dev | awk "/[rt]x_queue_[0-9]+_(packets|bytes):/ {
			split(\$1, word, /_|:/); sum[word[1] \"_\" word[4]] += \$2 }
			END { for (name in sum) print name, sum[name] }" | sort
		for name in rx_bytes rx_packets tx_bytes tx_packets; do
			echo $name $(cat ../statistics/$name)
		done' >"$LAB_STATE/counted"
	[[ $(wc -l <"$LAB_STATE/counted") == 8 ]] &&
		diff <(head -4 "$LAB_STATE/counted") <(tail -4 "$LAB_STATE/counted")
}

# A packet may come between the two looks, but not each time.
agrees() {
	local attempt
	attempt wait_for 10 "the queues' sum to be the interface's" counted
	cat "$LAB_STATE/counted"
	return "$attempt"
}

rx_bytes() { awk '$1 == "rx_bytes" { print $2; exit }' "$LAB_STATE/counted"; }

# With no traffic but what is sent here, and over new connections: one with a queue
# less, whose counts stay, and one as before.
statistics() {
	local before
	inside 'ip -6 addr flush dev $dev'
	peer ping -q -c 3 -i 0.2 "$(guest_v4 "$G")"
	agrees
	before=$(rx_bytes)
	set_channels 1
	wait_for 20 "the guest to answer" peer ping -c 1 -W 1 "$(guest_v4 "$G")"
	peer ping -q -c 3 -i 0.2 "$(guest_v4 "$G")"
	agrees
	(($(rx_bytes) >= before + 3 * 98))
	set_channels 2
	guest_addr "$G"
}

# What BQL counts as on its way is nothing once nothing is; its limit shows that it
# counts at all.
bql_is_idle() {
	both_ways "$G" 1000000
	sleep 1
	inside 'grep . tx-*/byte_queue_limits/{inflight,limit}
		for file in tx-*/byte_queue_limits/inflight; do [ $(cat $file) = 0 ] || exit 1; done
		cat tx-*/byte_queue_limits/limit | grep -v "^0$"'
}

# RPS of one queue alone steers what came by that queue, and so shows that packets
# say where they came by: column 10 counts what another CPU steered to this one.
records_queues() {
	inside 'steered() { sed -n "$((other + 1))p" /proc/net/softnet_stat | cut -d" " -f10; }
		received() { ethtool -S $dev | sed -n "s/ *rx_queue_${queue}_packets: //p"; }
		for queue in 0 1; do
			other=$((1 - queue))
			echo $((1 << other)) >rx-$queue/rps_cpus
			packets=$(received) times=$((16#$(steered)))
			for i in $(seq 16); do
				/lab/netcheck sweep '"$(remote_v4) $PORT"' 100 103 1 >/dev/null || exit 1
			done
			times=$((16#$(steered) - times)) packets=$(($(received) - packets))
			echo 0 >rx-$queue/rps_cpus
			echo "queue $queue: $packets packets, $times times steered to CPU $other"
			((times > 0 && times <= packets)) || exit 1
		done'
}

# Every offload that can be switched shows as switched, alone.
features() {
	local feature
	for feature in rx-checksumming tx-checksum-ipv4 tx-checksum-ipv6 scatter-gather \
		tx-tcp-segmentation tx-tcp6-segmentation rx-gro-hw; do
		inside "ethtool -K \$dev $(short "$feature") off; ethtool -k \$dev | grep -E '^[[:space:]]*$feature: off'"
		inside "ethtool -K \$dev $(short "$feature") on; ethtool -k \$dev | grep -E '^[[:space:]]*$feature: on'"
	done
	wait_for 20 "the vif to connect again" vif_is "$G" 0 4
	wait_for 20 "the guest to answer" peer ping -c 1 -W 1 "$(guest_v4 "$G")"
	both_ways "$G" 1000000 4 6
}
short() { case $1 in rx-checksumming) echo rx ;; scatter-gather) echo sg ;; *) echo "$1" ;; esac; }

# streams DIRECTION: eight at a time; prints how many KiB a second they made.
streams() {
	GUEST_TIMEOUT=200 inside "read -r before _ </proc/uptime
		pids=
		for i in 1 2 3 4 5 6 7 8; do
			/lab/netcheck $1 $(remote_v4) $PORT 2000000 \$i & pids+=\" \$!\"
		done
		for pid in \$pids; do wait \$pid || exit 1; done
		read -r after _ </proc/uptime
		echo \$((16000000 * 100 / 1024 / (\${after/./} - \${before/./})))"
}

# The figures are told, not judged: the emulated machine has other work too.
compares_queues() {
	local queues sent received
	for queues in 1 2; do
		set_channels "$queues"
		wait_for 20 "the guest to answer" peer ping -c 1 -W 1 "$(guest_v4 "$G")"
		sent=$(streams send | tee /dev/stderr)
		received=$(streams fetch | tee /dev/stderr)
		report "#   queues: $queues, sent: $sent KiB/s, received: $received KiB/s"
	done
}

for type in $GUEST_TYPES; do
	ktap_test "$type: a guest of two CPUs, four queues offered" new_guest "$type"
	ktap_test "$type: -i" names_itself
	ktap_test "$type: -l and -L under traffic, a CPU for each queue" channels
	ktap_test "$type: -g and -G" rings
	ktap_test "$type: -c and -C" moderation
	ktap_test "$type: rx-copybreak" copies rx 1024
	ktap_test "$type: tx-copybreak" copies tx 256
	ktap_test "$type: what was set outlives connections" outlives_connections
	ktap_test "$type: -S sums to what the interface counts, over a new connection" statistics
	ktap_test "$type: BQL is idle when the vif is" bql_is_idle
	ktap_test "$type: packets tell the queue they came by" records_queues
	ktap_test "$type: -k and -K" features
	ktap_test "$type: eight streams are whole over one queue and over two" compares_queues
	destroy_guest "$G"
done
offer_queues 1
ktap_end
