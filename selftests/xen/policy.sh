#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Defends hide and keep: whatever the order of drivers, links, failures and
# orders, one HVM guest with one vif and its rtl8139 twin has exactly the NICs
# that the table of events says, hears nothing of the hidden one, and gets it
# back when the vif fails or the module goes.

# shellcheck source=selftests/xen/lib.sh disable=SC2016,SC2119,SC2317
. /host/xen/lib.sh
# shellcheck source=selftests/xen/policy-lib.sh
. /host/xen/policy-lib.sh

G=policy

# ---- the native driver's order ---------------------------------------------

native_first() {
	orders 'modprobe 8139cp; has pci; mark
		load unplug=hide
		twin hidden; connected; has vif-0; quiet
		heard 1 "xennet_lite: vif-0: twin 0000:.* hidden:"
		traffic vif-0; idle 8139cp'
}

native_again() {
	orders 'native_away; mark; modprobe 8139cp; sleep 1
		has vif-0; quiet; heard 1 "refused again"
		mark; native_away; modprobe 8139cp
		refused "No such device" write /sys/bus/pci/drivers/8139cp/bind "$(address)"
		echo 1 >/sys/bus/pci/rescan; sleep 1
		has vif-0; quiet; heard 0 "xennet_lite"; twin hidden'
}

# What comes back is heard of: the listener of all these tests does listen.
unload_gives_back() {
	orders 'mark; unload; has pci; sleep 0.5
		uevents | grep -q "^add@.*/pci[^ ]*/net/" || fail "no uevent of the NIC given back"
		heard 1 "8139cp 0000:.* eth"; traffic pci; native_away; has ""'
}

native_last() {
	orders 'mark; load unplug=hide; connected; twin none
		modprobe 8139cp; twin hidden; why "netdev is refused"; has vif-0; quiet
		heard 1 "xennet_lite: vif-0: twin"
		traffic vif-0; idle 8139cp; unload; has pci'
}

native_absent() {
	orders 'native_away; mark; load; connected; has vif-0; twin none; traffic vif-0
		quiet; unload; has ""; heard 0 "twin .*(hidden|returned)"'
}

# ---- keep ------------------------------------------------------------------

keeps() {
	orders 'modprobe 8139cp; has pci; mark
		load unplug=keep; connected; has "vif-0 pci"; twin visible
		dev=$(netdev pci)
		await 5 grep -qx "emulated twin of vif-0" /sys/class/net/$dev/ifalias || fail "no alias"
		sleep 1; heard 1 "xennet_lite: vif-0: twin .* visible:"
		uevents | grep -q "change@.*/net/$dev" || fail "udev was not told of the alias"
		traffic pci; traffic vif-0
		ip link set $dev down; ip link set $dev up; ip link set $dev down
		heard 1 "xennet_lite: vif-0: twin"'
	orders 'native_away; modprobe 8139cp; has "vif-0 pci"
		grep -qx "emulated twin of vif-0" /sys/class/net/$(netdev pci)/ifalias || fail "no alias at birth"
		unload; has pci
		! grep -q . /sys/class/net/$(netdev pci)/ifalias || fail "the alias is left"'
}

# ---- in use ----------------------------------------------------------------

busy_is_left_alone() {
	orders 'traffic pci keep; mark; load unplug=hide
		twin busy; connected; sleep 1; has "vif-0 pci"; twin busy
		heard 1 "xennet_lite: vif-0: twin .* busy:"
		ping -q -c 3 -i 0.2 -W 2 $PEER || fail "the twin in use lost its link"
		mark; ip link set $(netdev pci) down
		twin hidden; has vif-0; quiet; traffic vif-0'
}

# ---- root's word -----------------------------------------------------------

# No write of no byte: it never reaches the kernel.
nonsense() {
	orders 'twin hidden; before=$(cat $XEN/vif-0/twin $PARAMETERS/unplug*)
		for text in nonsense $'\''\n'\'' HIDE "hide keep" "unplug,hide" "0"; do
			refused "Invalid argument" write $PARAMETERS/unplug "$text"
		done
		for text in -1 soon 99999999999999; do
			! write $PARAMETERS/unplug_timeout "$text" 2>/dev/null || fail "unplug_timeout=$text"
		done
		! write $PARAMETERS/unplug_force maybe 2>/dev/null || fail "unplug_force=maybe"
		for text in giveback "give back" $'\''\n'\'' hide GIVE-BACK; do
			refused "Invalid argument" write $XEN/vif-0/twin "$text"
		done
		[[ $before == "$(cat $XEN/vif-0/twin $PARAMETERS/unplug*)" ]] || fail "something changed"
		has vif-0'
}

given_back_by_hand() {
	orders 'mark; echo give-back >$XEN/vif-0/twin
		twin returned; why "by hand"; has "vif-0 pci"; traffic pci; twin returned
		native_away; modprobe 8139cp; has "vif-0 pci"; twin returned
		mark; policy hide; twin hidden; has vif-0; quiet'
}

auto_hide_keep_in_every_direction() {
	orders 'for to in keep hide keep auto hide auto keep; do
			mark; policy $to
			[[ $(<$PARAMETERS/unplug) == $to ]] || fail "unplug= does not read $to"
			case $to in
			keep) twin visible; has "vif-0 pci" ;;
			*) twin hidden; has vif-0; quiet ;;
			esac
		done
		traffic vif-0'
}

unknown_value_does_not_load() {
	orders 'unload; has pci; mark
		refused "Invalid" modprobe xennet-lite unplug=nonsense
		heard 1 "auto, hide, keep, unplug"; has pci'
}

# ---- the vif fails ---------------------------------------------------------

# The twin is up when the vif comes at last: busy, hidden once it is down.
never_connects_then_late() {
	withhold
	orders 'mark; load unplug=hide unplug_timeout=10; has ""; twin hidden; quiet
		twin returned; why "not connect in time"; has pci; traffic pci keep'
	grant
	orders 'connected; twin busy; has "vif-0 pci"
		mark; ip link set $(netdev pci) down; twin hidden; has vif-0; quiet; traffic vif-0'
}

# The card is there still: nobody has unplugged it.
driver_taken_away_meanwhile() {
	orders 'unload; has pci'
	withhold
	orders 'load unplug=keep unplug_timeout=120; twin visible; native_away; twin none
		mark; policy hide; sleep 2; twin none; heard 0 "unplugged at boot"; modprobe 8139cp'
	grant
	orders 'connected; twin hidden; has vif-0'
}

never_give_back() {
	orders 'unload; has pci'
	withhold
	orders 'load unplug=hide unplug_timeout=0; twin hidden; sleep 4; twin hidden; has ""'
	grant
	orders 'connected; has vif-0; twin hidden'
}

backend_dies_and_returns_in_time() {
	orders 'echo 30 >$PARAMETERS/unplug_timeout; traffic vif-0 keep; mark'
	kill_backend
	orders 'await 10 no_carrier vif-0 || fail "carrier without a backend"; twin hidden; has vif-0'
	revive_backend
	orders 'await 30 carrier vif-0 || fail "no carrier"; traffic vif-0; twin hidden
		sleep 1; heard 0 "xennet_lite: vif-0: twin"; quiet'
}

backend_dies_and_stays_dead() {
	orders 'echo 3 >$PARAMETERS/unplug_timeout'
	kill_backend
	orders 'twin returned vif-0 15; has "vif-0 pci"; traffic pci'
}

# Given back less than a minute ago: it is hidden when the minute is over.
backend_returns_late() {
	revive_backend
	orders 'connected; why "a minute"; has "vif-0 pci"; mark; traffic vif-0
		twin hidden vif-0 75; has vif-0; quiet'
}

# ---- the vif goes ----------------------------------------------------------

unbound_by_hand() {
	orders 'echo 30 >$PARAMETERS/unplug_timeout; mark
		echo vif-0 >/sys/bus/xen/drivers/xennet_lite/unbind
		has pci; traffic pci; [[ ! -e $XEN/vif-0/twin ]] || fail "the file twin is left"
		mark; echo vif-0 >/sys/bus/xen/drivers/xennet_lite/bind
		connected; twin hidden; has vif-0; quiet; traffic vif-0'
}

detached_on_purpose() {
	orders 'mark'
	detach_and_leave_tap
	orders 'await 10 gone vif-0 || fail "vif-0 is left"
		has ""; quiet; heard 1 "xennet_lite: vif-0: twin .* orphan: its vif was removed on purpose"
		native_away; modprobe 8139cp; sleep 1; has ""; quiet'
}

# libxl says that a hot-plugged vif has no twin; it may lead elsewhere.
attached_again() {
	orders 'mark'
	attach_vif "$G" 0
	orders 'connected; twin none; has vif-0; quiet; traffic vif-0
		echo give-back >/tmp/order; refused "No such device" cp /tmp/order $XEN/vif-0/twin
		has vif-0; unload; has pci; heard 1 "twin .* returned: the module is unloaded"'
}

no_twin_says_the_host() {
	orders 'mark; load unplug=hide; connected; twin none; why "no emulated NIC"
		has "vif-0 pci"; traffic pci; traffic vif-0
		for to in unplug keep hide; do policy $to; sleep 0.5; has "vif-0 pci"; done
		heard 0 "twin .* (hidden|visible)"
		policy keep; native_away; modprobe 8139cp; has "vif-0 pci"; unload; has pci'
}

orphan_goes_with_keep() {
	backend_type vif_ioemu
	orders 'load unplug=hide; connected; twin hidden; has vif-0'
	detach_and_leave_tap
	orders 'await 10 gone vif-0; has ""; mark; policy keep; has pci; traffic pci
		unload; has pci; native_away; has ""'
}

broken_words() {
	attach_vif "$G" 0
	backend_type nonsense
	orders 'modprobe 8139cp; has pci; mark; load unplug=hide; connected; twin none
		has "vif-0 pci"; heard 1 "xennet_lite: vif-0: twin .*no valid address or type"; unload; has pci'
}

# The last: all references were given back, for all drivers go and come.
nothing_leaked() {
	orders 'native_away; has ""
		for i in 1 2 3; do
			echo 1 >/sys/bus/pci/devices/$(address)/remove
			echo 1 >/sys/bus/pci/rescan
		done
		modprobe 8139cp; has pci; traffic pci
		modprobe xennet-lite unplug=hide; rmmod xennet-lite; has pci
		grep -q "^xennet_lite " /proc/modules && fail "the module is left"
		true'
}

ktap_test "the guest boots" create_guest $G hvm
ktap_test "native driver first: released" native_first
ktap_test "native driver again, by reload, bind and rescan: refused" native_again
ktap_test "unload gives the twin back" unload_gives_back
ktap_test "native driver last: refused" native_last
ktap_test "native driver absent" native_absent
ktap_test "keep shows both and marks the twin" keeps
ktap_test "a twin in use is left alone until it is down" busy_is_left_alone
ktap_test "nonsense is refused and changes nothing" nonsense
ktap_test "given back by hand, until unplug= is written" given_back_by_hand
ktap_test "auto, hide and keep in every direction" auto_hide_keep_in_every_direction
ktap_test "an unknown unplug= does not load" unknown_value_does_not_load
ktap_test "a vif that connects late" never_connects_then_late
ktap_test "its driver is taken away before the vif connects" driver_taken_away_meanwhile
ktap_test "unplug_timeout=0 never gives back" never_give_back
ktap_test "a backend that dies and returns in time" backend_dies_and_returns_in_time
ktap_test "a backend that stays dead: the twin is back in time" backend_dies_and_stays_dead
ktap_test "a backend that returns late: hidden after a minute" backend_returns_late
ktap_test "a vif unbound and bound by hand" unbound_by_hand
ktap_test "detached on purpose: the twin stays hidden" detached_on_purpose
ktap_test "attached again without a twin: the orphan stays hidden" attached_again
ktap_test "a NIC of a vif's address that has no twin is not hidden" no_twin_says_the_host
ktap_test "keep ends an orphan's hiding" orphan_goes_with_keep
ktap_test "a broken type: no twin, one line" broken_words
ktap_test "nothing leaked" nothing_leaked
destroy_guest $G
ktap_end
