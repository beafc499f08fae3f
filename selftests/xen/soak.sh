#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Defends the policy as a whole: EVENTS random events in one HVM guest, after each
# of which the NICs are exactly those that the model below derives, one that has a
# path answers, and the hidden one is not seen. SEED alone decides the sequence.

# shellcheck source=selftests/xen/lib.sh disable=SC2016,SC2119,SC2317
. /host/xen/lib.sh
# shellcheck source=selftests/xen/policy-lib.sh
. /host/xen/policy-lib.sh

G=soak
BLOCK=20
EVENTS=${EVENTS:-200}
TIMEOUT=3	# unplug_timeout
COOLING=60	# a twin given back is not hidden again before that
MODEL=$LAB_STATE/soak.model
HISTORY=$LAB_STATE/soak.history

# ---- the model -----------------------------------------------------------------

# native: its driver is loaded; up: the twin's netdev is; hand: given back by hand;
# returned: when it was given back for a failure, in seconds of $SECONDS.
native=1 loaded=0 bound=0 policy=hide alive=1 up=0 hand=0 returned=0
dice=$SEED

save_model() { declare -p native loaded bound policy alive up hand returned dice >"$MODEL"; }

# pick N: 0 to N-1, in $picked.
pick() {
	dice=$(((dice * 1103515245 + 12345) & 0x7fffffff))
	picked=$((dice / 65536 % $1))
}

ours() { ((loaded && bound)); }
hides() { ours && [[ $policy != keep ]]; }

# The states that the vif's file "twin" may show now, "-" where there is no file.
states() {
	local age=$((SECONDS - returned))
	if ! ours; then
		echo -
	elif [[ $policy == keep ]]; then
		((native)) && echo visible || echo none visible
	elif ((!native)); then
		echo none hidden
	elif ((hand)); then
		echo returned
	elif ((up)); then
		echo busy returned
	elif ((!alive)); then
		echo returned
	elif ((!returned || age > COOLING + 5)); then
		echo hidden
	elif ((age < COOLING - 5)); then
		echo returned
	else
		echo returned hidden
	fi
}

# ---- events: allowed_X where X makes sense, do_X what is done -----------------

allowed_load() { ((!loaded)); }
do_load() {
	pick 3
	policy=$(cut -d' ' -f$((picked + 1)) <<<"auto hide keep")
	loaded=1 bound=1 hand=0
	returned=$((alive ? 0 : SECONDS))
	order="load unplug=$policy unplug_timeout=$TIMEOUT"
}

# What is given back while its driver is not loaded has it loaded.
hidden_without_driver() { hides && ((!native)); }

allowed_unload() { ((loaded)) && ! hidden_without_driver; }
do_unload() { loaded=0 bound=0 hand=0 returned=0 order='unload'; }

allowed_policy() { ours && ! hidden_without_driver; }
do_policy() {
	pick 3
	policy=$(cut -d' ' -f$((picked + 1)) <<<"auto hide keep")
	hand=0
	returned=$((alive ? 0 : SECONDS))
	order="policy $policy"
}

# Without its native driver the card is no path; a vif that works is.
allowed_native_away() { ((native && !up && alive && !hand && !returned)); }
do_native_away() { native=0 order='native_away'; }
allowed_native_back() { ((!native)); }
do_native_back() { native=1 order='modprobe 8139cp'; }

allowed_kill() { ((alive && native && !up)); }
do_kill() {
	kill_backend
	alive=0 returned=$SECONDS order=true
}

# A twin that is up is busy from then on, and hidden as soon as it is down.
allowed_revive() { ((!alive)); }
do_revive() {
	revive_backend
	alive=1 order=true
	((!up)) && hides || returned=0
}

allowed_give_back() { hides && ((native && alive && !up && !hand && !returned)); }
do_give_back() { hand=1 order='echo give-back >$XEN/vif-0/twin'; }

allowed_unbind() { ours && ! hidden_without_driver; }
do_unbind() { bound=0 hand=0 returned=0 order='echo vif-0 >/sys/bus/xen/drivers/xennet_lite/unbind'; }
allowed_bind() { ((loaded && !bound)); }
do_bind() {
	bound=1 returned=$((alive ? 0 : SECONDS))
	order='echo vif-0 >/sys/bus/xen/drivers/xennet_lite/bind'
}

allowed_rescan() { ((!up && !hand && !returned && alive)); }
do_rescan() { order='echo 1 >$PCI/$(address)/remove; echo 1 >/sys/bus/pci/rescan'; }

allowed_twin_up() { ((native && !up)) && { ! hides || ((hand || !alive)); }; }
do_twin_up() { up=1 order='ip link set $(netdev pci) up'; }
allowed_twin_down() { ((up)); }
do_twin_down() { up=0 order='ip link set $(netdev pci) down'; }

allowed_renegotiate() { ours && ((alive)); }
do_renegotiate() {
	order='dev=$(netdev vif-0); ethtool -K $dev rx-gro-hw off; ethtool -K $dev rx-gro-hw on'
}

# The host takes the vif away on purpose: the twin, an orphan, stays hidden, and so
# it is beside the next vif, of which the host says that it has no twin.
allowed_detach() { hides && ((native && alive && !up && !hand && !returned)); }
do_detach() {
	detach_and_leave_tap
	orders 'await 10 gone vif-0 || fail "vif-0 is left"; has ""'
	attach_vif "$G" 0
	orders 'connected; twin none; has vif-0; traffic vif-0'
	backend_type vif_ioemu
	do_unload
}

ACTIONS=(load load load unload policy policy native_away native_back kill revive revive give_back
	unbind bind bind rescan twin_up twin_down twin_down renegotiate detach)

# ---- one event after the other -------------------------------------------------

check() {
	local vif=0 card=$native
	ours && ((alive)) && vif=1
	orders ". /lab/soak; $order; settled '$(states | xargs)' $vif $card $up $((TIMEOUT + 7))"
}

event() {
	local action
	while pick ${#ACTIONS[@]}; action=${ACTIONS[picked]}; ! "allowed_$action"; do :; done
	printf '%d %s' "$1" "$action" >>"$HISTORY"
	"do_$action"
	printf ': native %d loaded %d bound %d %s alive %d up %d hand %d returned %d: %s\n' \
		"$native" "$loaded" "$bound" "$policy" "$alive" "$up" "$hand" "$returned" \
		"$(states | xargs)" >>"$HISTORY"
	check
}

tell_history() {
	echo "replay with SEED=$SEED; the last events:"
	tail -12 "$HISTORY"
}

# block FIRST LAST: the model goes from one to the next by a file.
block() {
	local i
	# shellcheck source=/dev/null
	[[ ! -e $MODEL ]] || . "$MODEL"
	trap '(($? == 0)) || tell_history' EXIT
	for ((i = $1; i <= $2; i++)); do event "$i"; done
	save_model
}

boots() {
	create_guest "$G" hvm
	orders 'modprobe 8139cp; has pci; mark'
}

nothing_leaked() {
	# shellcheck source=/dev/null
	. "$MODEL"
	((alive)) || revive_backend
	((!loaded)) || orders 'unload'
	orders '((! '"$up"')) || ip link set $(netdev pci) down
		native_away; has ""; modprobe 8139cp; has pci; traffic pci; idle 8139cp
		load unplug=hide; connected; twin hidden; has vif-0; traffic vif-0; unload; has pci'
}

report "# SEED=$SEED EVENTS=$EVENTS"
ktap_test "the guest boots" boots
for ((first = 1; first <= EVENTS && ktap_failures == 0; first += BLOCK)); do
	last=$((first + BLOCK - 1 < EVENTS ? first + BLOCK - 1 : EVENTS))
	ktap_test "events $first to $last of seed $SEED" block "$first" "$last"
done
((ktap_failures)) || ktap_test "nothing leaked" nothing_leaked
destroy_guest "$G"
ktap_end
