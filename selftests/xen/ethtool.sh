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

# refused TEXT COMMAND: fails, and says so.
refused() {
	local said status=0
	said=$(inside "$2" 2>&1) || status=$?
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
	refused "" 'ethtool -L $dev combined 3'
	refused "" 'ethtool -L $dev combined 0'
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
	refused "from 64 to 256" 'ethtool -G $dev rx 63'
	refused "" 'ethtool -G $dev rx 257'
	refused "one page: 256" 'ethtool -G $dev tx 128'
	sets G rx 256 6
	both_ways "$G" 1000000
}

moderation() {
	sets C tx-frames 1
	both_ways "$G" 1000000
	refused "from 1 to 256" 'ethtool -C $dev tx-frames 0'
	refused "from 1 to 256" 'ethtool -C $dev tx-frames 257'
	refused "" 'ethtool -C $dev rx-usecs 10'
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
	refused "" "ethtool --set-tunable \$dev $1-copybreak $(($2 + 1))"
	inside "ethtool --get-tunable \$dev $1-copybreak" | grep -x "$1-copybreak: $before"
}

# counted: per direction, packets and bytes, as the queues' sum and as ip says.
counted() {
	inside 'ethtool -S $dev | awk "/[rt]x_queue_[0-9]+_(packets|bytes):/ {
			split(\$1, word, /_|:/); sum[word[1] \"_\" word[4]] += \$2 }
			END { for (name in sum) print name, sum[name] }" | sort
		for name in rx_bytes rx_packets tx_bytes tx_packets; do
			echo $name $(cat ../statistics/$name)
		done' >"$LAB_STATE/counted"
	cat "$LAB_STATE/counted"
	[[ $(wc -l <"$LAB_STATE/counted") == 8 ]]
	diff <(head -4 "$LAB_STATE/counted") <(tail -4 "$LAB_STATE/counted")
}

rx_bytes() { awk '$1 == "rx_bytes" { print $2; exit }' "$LAB_STATE/counted"; }

# With no traffic but what is sent here, and over a new connection.
statistics() {
	local before
	inside 'ip -6 addr flush dev $dev'
	peer ping -q -c 3 -i 0.2 "$(guest_v4 "$G")"
	counted
	before=$(rx_bytes)
	set_channels 1
	peer ping -q -c 3 -i 0.2 "$(guest_v4 "$G")"
	counted
	(($(rx_bytes) >= before + 3 * 98))
	set_channels 2
	guest_addr "$G"
}

# What BQL counts as on its way is nothing, once nothing is.
bql_is_idle() {
	both_ways "$G" 1000000
	sleep 1
	inside 'grep . tx-*/byte_queue_limits/{inflight,limit}
		for file in tx-*/byte_queue_limits/inflight; do [ $(cat $file) = 0 ] || exit 1; done'
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

for type in $GUEST_TYPES; do
	ktap_test "$type: a guest of two CPUs, four queues offered" new_guest "$type"
	ktap_test "$type: -i" names_itself
	ktap_test "$type: -l and -L under traffic, a CPU for each queue" channels
	ktap_test "$type: -g and -G" rings
	ktap_test "$type: -c and -C" moderation
	ktap_test "$type: rx-copybreak" copies rx 1024
	ktap_test "$type: tx-copybreak" copies tx 256
	ktap_test "$type: -S sums to what the interface counts, over a new connection" statistics
	ktap_test "$type: BQL is idle when the vif is" bql_is_idle
	ktap_test "$type: -k and -K" features
	destroy_guest "$G"
done
offer_queues 1
ktap_end
