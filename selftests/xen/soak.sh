#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Defends the policy as a whole: EVENTS random events in one HVM guest, after each
# of which the NICs and the twin's state are exactly those that the model below
# derives, what has a path answers, and the hidden card is neither seen nor heard.
# SEED alone decides the sequence.

# shellcheck source=selftests/xen/lib.sh disable=SC2016,SC2119,SC2317
. /host/xen/lib.sh
# shellcheck source=selftests/xen/policy-lib.sh
. /host/xen/policy-lib.sh

G=soak
BLOCK=20
EVENTS=${EVENTS:-200}
TIMEOUT=3	# unplug_timeout
COOLING=60	# a twin given back for a failure is not hidden again before that
MODEL=$LAB_STATE/soak.model
HISTORY=$LAB_STATE/soak.history

# ---- the model: facts -----------------------------------------------------------

# The guest: native, the card's driver is loaded; up, the card's netdev is; loaded,
# policy and bound, the module and the vif in its hands; vif_up, the vif's netdev is.
native=1 up=0 loaded=0 policy=hide bound=0 vif_up=0
# The host: attached, there is a vif; ioemu, it is said to have a twin; alive, its
# backend connects, else cut says what keeps it from that.
attached=1 ioemu=1 alive=1 cut=''
# The vif's record in the module: netdev, it has connected once; known, its twin was
# met; gone, that left the bus; hand, given back by hand; given, when it was last given
# back, in $SECONDS; lent, that is why it is still visible beside a vif that works.
netdev=0 known=0 gone=0 hand=0 given=0 lent=0
# A record without a vif holds the card hidden.
orphan=0
# And what is noted for people, in hundredths of a second.
dark=0 twice=0 restores=0
dice=$SEED

FACTS=(native up loaded policy bound vif_up attached ioemu alive cut netdev known gone hand
	given lent orphan dark twice restores dice)

save_model() {
	local fact
	for fact in "${FACTS[@]}"; do printf '%s=%q\n' "$fact" "${!fact}"; done >"$MODEL"
}

# shellcheck source=/dev/null
load_model() { [[ ! -e $MODEL ]] || . "$MODEL"; }

# pick N: 0 to N-1, in $picked.
pick() {
	dice=$(((dice * 1103515245 + 12345) & 0x7fffffff))
	picked=$((dice / 65536 % $1))
}

# ---- the model: what follows from them -----------------------------------------

ours() { ((loaded && attached && bound)); }
hides() { [[ $policy != keep ]]; }
met() { ours && ((ioemu && known && !gone)); }

# The minute after a give-back: "yes", "no", or "ending", when both may be seen.
cooling() {
	local age=$((SECONDS - given))
	if ((!given || age > COOLING + 4)); then echo no
	elif ((age < COOLING - 12)); then echo yes
	else echo ending
	fi
}

# The states that the vif's file "twin" may show now, "-" where there is no file.
states() {
	local hidden=hidden
	((!up)) || hidden=busy
	if ! ours; then
		echo -
	elif ((gone)); then
		echo gone
	elif ! met; then
		echo none
	elif ! hides; then
		echo visible
	elif ((hand || !alive)); then
		echo returned
	elif ((!lent)); then
		echo "$hidden"
	else
		case $(cooling) in
		yes) echo returned ;;
		ending) echo "returned $hidden" ;;
		no) echo "$hidden" ;;
		esac
	fi
}

# The module withholds the card for this vif; the second, whatever the clock says.
withheld() { [[ $(states) == hidden ]]; }
withheld_for_certain() { met && hides && ((alive && !up && !hand && !given)); }

# Where it depends on the clock whether a card without its driver is hidden, so does
# whether that driver comes back: no event asks for that.
certain() { ((native)) || ! met || withheld_for_certain; }

# A card that is given back has its driver loaded.
lend() { native=1 given=$SECONDS; }

forget() { netdev=0 vif_up=0 known=0 gone=0 hand=0 given=0 lent=0; }

# The vif is ours from now on. Where it does not connect the next event comes when
# that is a failure: before it, it is another case.
new_record() {
	forget
	ours || return 0
	netdev=$alive known=$((ioemu && (native || orphan)))
	((!ioemu)) || orphan=0
	((alive)) || fails
}

# Decided while the vif could still have connected.
fails() {
	local alive=1
	if withheld; then
		native=1 given=$((SECONDS + TIMEOUT))
	else
		order+="; sleep $((TIMEOUT + 1))"
	fi
	lent=0
}

# The vif works again: its twin is hidden, but not before the minute is over.
works() {
	alive=1 cut=''
	! ours || netdev=1
	lent=0
	if met && hides && ((!hand && !up)) && [[ $(cooling) != no ]]; then lent=1; fi
}

# ---- events: allowed_X where X makes sense, do_X what is done -----------------
# What allows an event does not depend on the time, so that the seed replays it.

pick_policy() {
	local names=(auto hide keep)
	pick 3
	policy=${names[picked]}
}

# With a dead backend modprobe would return half a minute later: Linux's xenbus waits for
# the devices of a new driver.
allowed_load() { ((!loaded)) && [[ $cut != killed ]]; }
do_load() {
	pick_policy
	loaded=1 bound=$attached
	order="load unplug=$policy unplug_timeout=$TIMEOUT"
	new_record
}

allowed_unload() { ((loaded)) && certain; }
do_unload() {
	if withheld || ((orphan)); then lend; fi
	loaded=0 bound=0 orphan=0 order=unload
	forget
}

allowed_policy() { ((loaded)) && certain; }
do_policy() {
	local before=$policy
	pick_policy
	order="policy $policy"
	if [[ $policy == keep ]]; then
		policy=$before
		if withheld || ((orphan)); then lend; fi
		policy=keep orphan=0
	fi
	hand=0 lent=0
	if ours && ((ioemu && !gone && native)); then known=1; fi
}

allowed_unbind() { ours && certain; }
do_unbind() {
	! withheld || lend
	bound=0 order='echo vif-0 >/sys/bus/xen/drivers/xennet_lite/unbind'
	forget
}

allowed_bind() { ((loaded && attached && !bound)); }
do_bind() {
	bound=1 order='echo vif-0 >/sys/bus/xen/drivers/xennet_lite/bind'
	new_record
}

# What is visible on purpose, or busy, goes with its netdev; to be set down is what a
# busy one was waited for.
allowed_native_away() { ((native)); }
do_native_away() {
	native=0 up=0 order=native_away
	hides || known=0
}

allowed_native_back() { ((!native)); }
do_native_back() {
	native=1 gone=0 order='modprobe 8139cp'
	! ours || known=$ioemu
}

allowed_give_back() { met && hides && ((alive && !hand && !given)) && certain; }
do_give_back() {
	! withheld || lend
	hand=1 order='echo give-back >$XEN/vif-0/twin'
}

allowed_twin_up() { ((native && !up && !orphan)) && { ! met || ! hides || ((hand || !alive)); }; }
do_twin_up() { up=1 order='ip link set $(netdev pci) up'; }
allowed_twin_down() { ((up)); }
do_twin_down() { up=0 order='ip link set $(netdev pci) down'; }

# A card that comes back is met anew, if its driver is there; an orphan's that is not
# met could not be given back.
allowed_rescan() { ((native || !orphan)); }
do_rescan() {
	up=0 lent=0 order='echo 1 >$PCI/$(address)/remove; echo 1 >/sys/bus/pci/rescan'
	if met && ((!native)); then gone=1; fi
}

allowed_vif_up() { ours && ((alive && !vif_up)); }
do_vif_up() { vif_up=1 order='traffic vif-0 keep'; }
allowed_vif_down() { ((vif_up)); }
do_vif_down() { vif_up=0 order='ip link set $(netdev vif-0) down'; }

allowed_renegotiate() { ours && ((alive)); }
do_renegotiate() {
	order='dev=$(netdev vif-0); ethtool -K $dev rx-gro-hw off; ethtool -K $dev rx-gro-hw on'
}

# ---- events on the host's side -------------------------------------------------

allowed_kill() { ((attached && alive)) && certain; }
do_kill() {
	kill_backend
	! ours || fails
	alive=0 cut=killed
}

allowed_withhold() { ((attached && alive)) && ! ours; }
do_withhold() {
	withhold
	alive=0 cut=withheld
}

allowed_mend() { ((attached && !alive)); }
do_mend() {
	case $cut in
	killed) revive_backend ;;
	withheld) grant ;;
	esac
	works
	# Attempts to connect are spaced further and further.
	! ours || order=connected
}

# The host takes the vif away on purpose: a hidden twin stays hidden without it.
allowed_detach() { ours && ((alive && !given)); }
do_detach() {
	! withheld || orphan=1
	detach_and_leave_tap
	attached=0 bound=0 order='await 10 gone vif-0 || fail "vif-0 is left"'
	forget
}

# libxl says of a hot-plugged vif that it has no twin, so the orphan stays one ...
allowed_attach() { ((!attached)); }
do_attach() {
	attach_vif "$G" 0
	attached=1 bound=$loaded ioemu=0 alive=1 cut=''
	new_record
}

# ... until the host says otherwise, and the vif is met anew.
allowed_retype() { ((attached && !ioemu)) && ! ours; }
do_retype() {
	backend_type vif_ioemu
	ioemu=1
}

# With the first configuration, as the device model has no card for a hot-plugged vif.
save_and_restore() {
	orders "echo 60 >\$PARAMETERS/unplug_timeout"
	xl save "$G" "/var/tmp/$G.save" "$LAB_STATE/$G.cfg" 2>&1 | tail -3
	restore_guest "$G"
	wait_for 120 "the agent after the restore" agent_answers
	restores=$((restores + 1))
	host_has 1
}

allowed_restore() { ours && ((ioemu && alive && !given && !gone)); }
do_restore() {
	save_and_restore
	order="connected; echo $TIMEOUT >\$PARAMETERS/unplug_timeout"
}

# What the host unplugged is back with a fresh device model, and not unplugged again
# where another policy is written before the vif is connected.
allowed_commit() { ours && ((ioemu && alive && !up && !hand && !given && !gone)); }
do_commit() {
	orders 'policy unplug; twin gone vif-0 20; has vif-0; traffic vif-0; [[ -z $(address) ]] || fail "$(address) is left"'
	host_has 0
	touch "$LAB_STATE/withhold"
	save_and_restore
	rm "$LAB_STATE/withhold"
	pick_policy
	orders "policy $policy; sleep 1"
	grant
	known=$native
	# The PCI core has a line of its own about a card that is new to it.
	order="rm -f /tmp/soak.hidden; connected; echo $TIMEOUT >\$PARAMETERS/unplug_timeout"
}

# As often as here, of those that are allowed: what leads back to a vif that is ours
# and has a twin is likely, as that is where there is something to decide.
weigh_actions() {
	local word count
	for word; do
		for ((count = ${word#*:}; count > 0; count--)); do ACTIONS+=("${word%:*}"); done
	done
}

ACTIONS=()
weigh_actions load:40 bind:40 retype:40 attach:24 unload:4 unbind:4 detach:2 policy:9 \
	native_away:4 native_back:12 give_back:9 twin_up:4 twin_down:9 rescan:4 \
	vif_up:4 vif_down:3 renegotiate:3 kill:6 withhold:6 mend:15 restore:2 commit:2

# ---- one event after the other -------------------------------------------------

# What holds after it, as guest/soak's names for it.
expectation() {
	local vif=0 alias=0
	! ours || vif=$alive
	if met && ! hides; then alias=$native; fi
	printf '%s ' "STATES='$(states)'" VIF="$vif" NETDEV="$netdev" CARD="$native" UP="$up" \
		VIF_UP="$vif_up" ALIAS="$alias" ORPHAN="$orphan" LIMIT="$((TIMEOUT + 4))"
}

# The guest says for how long it had no NIC, and two.
check() {
	local said numbers
	said=$(orders ". /lab/soak; begin; $order; $(expectation) settled") || { echo "$said"; return 1; }
	read -ra numbers <<<"${said##*$'\n'}"
	((dark >= numbers[0])) || dark=${numbers[0]}
	((twice >= numbers[1])) || twice=${numbers[1]}
}

# No event falls into the end of the minute, when either state may be.
mind_the_minute() {
	ours && hides && { ((lent || !alive)); } || return 0
	while [[ $(cooling) == ending ]]; do sleep 1; done
}

event() {
	local action start=$SECONDS
	mind_the_minute
	while pick ${#ACTIONS[@]}; action=${ACTIONS[picked]}; ! "allowed_$action"; do :; done
	order=:
	printf '%d %s' "$1" "$action" >>"$HISTORY"
	"do_$action"
	printf ': %s: %s\n' "$order" "$(expectation)" >>"$HISTORY"
	check
	echo "event $1, $action: $((SECONDS - start)) s"
	(($1 % 5)) || report "# event $1 of $EVENTS, at $SECONDS s"
}

tell_history() {
	echo "replay with SEED=$SEED EVENTS=$EVENTS; the last events, and what was expected after each:"
	tail -10 "$HISTORY"
}

# block FIRST LAST: the model goes from one block to the next by a file.
block() {
	local i
	load_model
	trap '(($? == 0)) || tell_history' EXIT
	for ((i = $1; i <= $2; i++)); do event "$i"; done
	save_model
}

boots() {
	[[ $SEED =~ ^[0-9]+$ ]] || fail "SEED=$SEED is no number"
	create_guest "$G" hvm
	orders '. /lab/soak; count_netdevs; modprobe 8139cp; has pci; mark'
}

# All references were given back, for all drivers go, and come again.
nothing_leaked() {
	load_model
	((!loaded)) || orders 'unload'
	orders '. /lab/soak; native_away; has ""; nothing_left
		modprobe 8139cp; has pci; traffic pci; idle 8139cp'
	((attached)) || attach_vif "$G" 0
	case $cut in killed) revive_backend ;; withheld) grant ;; esac
	backend_type vif_ioemu
	orders '. /lab/soak; load unplug=hide; connected; twin hidden; has vif-0; traffic vif-0; idle xennet_lite
		unload; has pci; native_away; has ""; nothing_left'
}

tell_figures() {
	[[ -e $MODEL ]] || return 0
	load_model
	report "# longest without a NIC: $((dark / 100)).$(printf %02d $((dark % 100))) s;" \
		"longest with two that should be one: $((twice / 100)).$(printf %02d $((twice % 100))) s;" \
		"restores: $restores"
	cut -d' ' -f2 "$HISTORY" | tr -d : | sort | uniq -c | sort -rn
}

report "# SEED=$SEED EVENTS=$EVENTS"
ktap_test "the guest boots" boots
for ((first = 1; first <= EVENTS && ktap_failures == 0; first += BLOCK)); do
	last=$((first + BLOCK - 1 < EVENTS ? first + BLOCK - 1 : EVENTS))
	ktap_test "events $first to $last of seed $SEED" block "$first" "$last"
done
((ktap_failures)) || ktap_test "nothing leaked" nothing_leaked
tell_figures
destroy_guest "$G"
ktap_end
