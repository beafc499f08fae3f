#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Defends suspend and resume: transfers that are under way when the guest is
# saved end whole after it was restored.

. /host/xen/lib.sh
. /host/xen/traffic.sh

# A sender whose guest is away tries again after twice as long each time.
# shellcheck disable=SC2034 # traffic.sh reads it
PATIENCE=120

agent_answers() { GUEST_TIMEOUT=5 guest "$1" true; }

survives_save() {
	local name=$1 sender
	# About 10 s of traffic, in both directions.
	guest_bg "$name" slow "/lab/netcheck fetch $(remote_v4) $PORT 6500000 7 100"
	timeout 150 "$IP" netns exec peer "$NETCHECK" send "$(guest_v4 "$name")" "$PORT" 6500000 8 100 &
	sender=$!
	sleep 1
	save_guest "$name"
	restore_guest "$name"
	wait_for 60 "the agent after the restore" agent_answers "$name"
	wait_for 30 "the vif to connect again" vif_is "$name" 0 4
	wait "$sender"
	guest_join "$name" slow 120
	both_ways "$name" 1000000
}

for type in $GUEST_TYPES; do
	ktap_test "$type: connected" use_guest "$type"
	ktap_test "$type: transfers survive save and restore" survives_save "$type"
	[[ $type == hvm ]] || ktap_test "$type: and once more" survives_save "$type"
done
ktap_end
