#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Defends what newer kernels say of a vif by netlink's family "netdev": what XDP can
# do, which NAPI serves a queue, and what each queue and all of them have counted.

# shellcheck disable=SC2016
. /host/xen/lib.sh
. /host/xen/traffic.sh

G=netlink
SAID=$LAB_STATE/netdevq

new_guest() {
	offer_queues 2
	create_guest "$G" "$1" vcpus=2 xlextra='tsc_mode = "native"'
	load_driver "$G"
	guest_addr "$G"
	serve "$G"
	both_ways "$G" 300000 4 6
	guest "$G" "ip -6 addr flush dev $(netif "$G")"
}

# Status 4, a skip, where the kernel says nothing of the kind.
says() {
	local attempt
	attempt guest "$G" "/lab/netdevq $(netif "$G")" >"$SAID"
	cat "$SAID"
	return "$attempt"
}

# NETDEV_XDP_ACT_: BASIC 1, REDIRECT 2, NDO_XMIT 4, RX_SG 32, NDO_XMIT_SG 64.
xdp_features() {
	says
	grep -qx 'xdp 103' "$SAID"
}

# One NAPI for both directions of a queue, another for the other queue.
napis() {
	says
	[[ $(grep -cE '^[rt]x [01] napi [1-9][0-9]*$' "$SAID") == 4 ]]
	[[ $(awk '$3 == "napi" { print $2, $4 }' "$SAID" | sort -u | wc -l) == 2 ]]
	[[ $(awk '$3 == "napi" { print $4 }' "$SAID" | sort -u | wc -l) == 2 ]]
}

# As ethtool -S and ip count them; a packet may come between the looks, not each time.
# What a queue that is not in use has counted is in the sum alone.
agrees_now() {
	guest "$G" "dev=$(netif "$G")
		/lab/netdevq \$dev
		ethtool -S \$dev | sed -nE 's/^ *([rt]x)_queue_([0-9]+)_(packets|bytes): (.*)/also \1 \2 \3 \4/p'
		for way in rx tx; do for what in packets bytes; do
			echo also all \$way \$what \$(cat /sys/class/net/\$dev/statistics/\${way}_\$what)
		done; done" >"$SAID"
	awk '$3 == "packets" { print $1, $2, $3, $4; print $1, $2, $5, $6 }' "$SAID" |
		sort >"$LAB_STATE/by-netlink"
	awk -v queues="$1" 'sub(/^also /, "") && ($1 == "all" || $2 < queues)' "$SAID" |
		sort | diff "$LAB_STATE/by-netlink" -
}

agrees() {
	local attempt
	attempt wait_for 15 "netlink's counts to be ethtool's and ip's" agrees_now "$1"
	cat "$SAID"
	return "$attempt"
}

counts() {
	says
	agrees 2
	[[ $(grep -c . "$LAB_STATE/by-netlink") == 12 ]]
}

# What the other queue has counted stays in the sum.
counts_with_one() {
	guest "$G" "ethtool -L $(netif "$G") combined 1"
	wait_for 20 "the vif to connect" vif_is "$G" 0 4
	wait_for 20 "the guest to answer" peer ping -c 1 -W 1 "$(guest_v4 "$G")"
	guest "$G" "ip -6 addr flush dev $(netif "$G")"
	agrees 1
	[[ $(grep -c . "$LAB_STATE/by-netlink") == 8 ]]
}

for type in $GUEST_TYPES; do
	ktap_test "$type: a guest of two CPUs, two queues" new_guest "$type"
	ktap_test "$type: what XDP can do" xdp_features
	ktap_test "$type: a NAPI for each queue" napis
	ktap_test "$type: counts of each queue and of all" counts
	ktap_test "$type: counts of all, one queue not in use" counts_with_one
	destroy_guest "$G"
done
offer_queues 1
ktap_end
