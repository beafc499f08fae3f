#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Defends the commit of unplug: never while anything stands in its way, once and
# for this device model only, and seen from the host. The guest has a vif with
# its rtl8139 twin, and a second rtl8139 of another address, the stand-in for a
# passed-through card of an emulated model.

# shellcheck source=selftests/xen/lib.sh disable=SC2016,SC2119,SC2317
. /host/xen/lib.sh
# shellcheck source=selftests/xen/policy-lib.sh
. /host/xen/policy-lib.sh

G=unplug
STANDIN=0000:00:1d.0

boots() {
	create_guest "$G" hvm dmargs='"-device", "rtl8139,mac=00:16:3e:99:00:01,addr=0x1d"'
	host_has 2
	orders 'modprobe 8139cp; has "pci $STANDIN"'
}

# not_committed: it had its two seconds, and the host still has both cards.
not_committed() {
	orders "sleep 3; twin ${2:-hidden}; why '$1'"
	host_has 2
}

# ---- hide never touches the stand-in ----------------------------------------

hide_touches_only_the_twin() {
	orders 'mark; load unplug=hide; twin hidden; connected; has "vif-0 $STANDIN"
		traffic vif-0; heard 1 "xennet_lite: .* twin"
		heard 0 "$STANDIN"'
}

hidden_through_save_and_restore() {
	orders 'traffic vif-0 keep; mark'
	save_guest "$G"
	restore_guest "$G"
	wait_for 120 "the agent after the restore" agent_answers
	host_has 2
	orders 'connected; twin hidden; has "vif-0 $STANDIN"; quiet
		traffic vif-0; native_away; modprobe 8139cp; has "vif-0 $STANDIN"; twin hidden'
}

# ---- the guards ------------------------------------------------------------

guard_other_nic() {
	orders 'mark; policy unplug; sleep 1; twin hidden; has "vif-0 $STANDIN"
		heard 1 "unplug not committed: another NIC with a driver would be hit: $STANDIN"'
	not_committed 'not unplugged: another NIC'
}

# The other NIC keeps the commit away meanwhile.
every_direction() {
	orders 'for from in auto hide keep unplug; do for to in auto hide keep unplug; do
			policy $from; policy $to
			[[ $(<$PARAMETERS/unplug) == $to ]] || fail "unplug= does not read $to"
			case $to in
			keep) twin visible; has "vif-0 pci $STANDIN" ;;
			*) twin hidden; has "vif-0 $STANDIN" ;;
			esac
		done; done'
	host_has 2
}

guard_nic_without_driver() {
	orders 'policy unplug; sleep 1; mark
		echo $STANDIN >/sys/bus/pci/drivers/8139cp/unbind; has vif-0'
	not_committed 'more NICs without a driver'
	orders 'heard 1 "unplug not committed: more NICs without a driver.*: $STANDIN"'
}

# From here on nobody claims the stand-in: it is out of Linux's sight.
guard_busy() {
	orders 'policy keep; has "vif-0 pci"; traffic pci keep
		echo 1 >/sys/bus/pci/devices/$STANDIN/remove
		mark; policy unplug; twin busy; sleep 1
		heard 1 "unplug not committed: a twin is up: vif-0"; sleep 2; twin busy'
	host_has 2
}

guard_returned() {
	orders 'policy hide; twin busy; ip link set $(netdev pci) down; twin hidden
		mark; policy unplug; echo give-back >$XEN/vif-0/twin; twin returned
		has "vif-0 pci"; sleep 3; twin returned
		heard 1 "unplug not committed: a twin was given back: vif-0"
		policy hide; twin hidden; has vif-0'
	host_has 2
}

guard_not_connected() {
	orders 'unload; has pci'
	withhold
	orders 'mark; load unplug=unplug unplug_timeout=60; twin hidden; sleep 3; twin hidden
		why "not unplugged: a vif that may have a twin is not connected"
		heard 1 "unplug not committed: a vif .* is not connected: vif-0"; has ""'
	host_has 2
	orders 'policy hide'
	grant
	orders 'connected; has vif-0'
}

# A second vif of which the host says that it has a twin, and we do not drive it.
guard_foreign_vif() {
	attach_vif "$G" 1
	wait_for 20 "vif 1 to connect" vif_is "$G" 1 4
	orders 'echo vif-1 >/sys/bus/xen/drivers/xennet_lite/unbind'
	backend_type vif_ioemu 1
	orders 'mark; policy unplug; sleep 3; twin hidden
		why "not unplugged: a vif that may have a twin is not driven by this module"
		heard 1 "not driven by this module: device/vif/1"; policy hide'
	host_has 2
	detach_vif "$G" 1
	orders 'await 20 gone vif-1'
}

# ---- the commit ------------------------------------------------------------

commits() {
	local functions
	functions=$(host_functions)
	orders 'mark; policy unplug; twin gone; has vif-0; traffic vif-0; quiet
		heard 1 "unplug committed: the host has removed"
		[[ -z $(address) ]] || fail "Linux still has $(address)"'
	host_has 0
	((functions - $(host_functions) == 2)) || fail "of $functions functions $(host_functions) are left"
}

locked_after_the_commit() {
	orders 'for to in auto hide keep; do refused "resource busy" write $PARAMETERS/unplug $to; done
		refused "Invalid" write $PARAMETERS/unplug nonsense
		policy unplug; [[ $(<$PARAMETERS/unplug) == unplug ]] || fail "unplug= changed"
		refused "No such device" write $XEN/vif-0/twin give-back
		twin gone; has vif-0; echo 1 >/sys/bus/pci/rescan; has vif-0'
}

backend_dies_after_the_commit() {
	orders 'traffic vif-0 keep; carrier vif-0 || fail "no carrier"; mark'
	kill_backend
	orders 'await 10 no_carrier vif-0 || fail "carrier without a backend"; sleep 0.5
		heard 1 "after an unplug nothing can be given back"'
	revive_backend
	orders 'await 30 carrier vif-0 || fail "no carrier"; traffic vif-0; twin gone'
}

# A fresh device model: its cards are left alone until the vif is connected.
committed_again_after_restore() {
	orders mark
	save_guest "$G"
	touch "$LAB_STATE/withhold"
	restore_guest "$G"
	rm "$LAB_STATE/withhold"
	wait_for 120 "the agent after the restore" agent_answers
	orders 'sleep 4; heard 0 "unplug committed"'
	host_has 2
	grant
	orders 'connected; twin gone; has vif-0; quiet
		heard 1 "unplug committed"; traffic vif-0'
	host_has 0
}

# And where it does not connect in time, the bus is scanned and the NIC there.
nic_is_back_when_the_vif_is_not() {
	orders 'echo 5 >$PARAMETERS/unplug_timeout; mark'
	save_guest "$G"
	touch "$LAB_STATE/withhold"
	restore_guest "$G"
	rm "$LAB_STATE/withhold"
	wait_for 120 "the agent after the restore" agent_answers
	orders 'twin returned; await 10 netdev pci || fail "no NIC"; traffic pci'
	host_has 2
}

unload_after_a_commit() {
	orders 'unload; modprobe 8139cp'
	grant
	orders 'echo 1 >/sys/bus/pci/devices/$STANDIN/remove; load unplug=unplug; connected; twin gone
		mark; unload; heard 1 "after an unplug nothing can be given back"; has ""
		load unplug=hide; connected; twin gone; has vif-0; traffic vif-0
		policy keep; policy hide; unload; native_away'
	host_has 0
}

ktap_test "the guest boots, with two emulated NICs" boots
ktap_test "hide touches the twin and no other NIC of its model" hide_touches_only_the_twin
ktap_test "hidden through save and restore" hidden_through_save_and_restore
ktap_test "no commit with another NIC in use" guard_other_nic
ktap_test "unplug= in every direction before a commit" every_direction
ktap_test "no commit with another NIC without a driver" guard_nic_without_driver
ktap_test "no commit while the twin is up" guard_busy
ktap_test "no commit after a give-back" guard_returned
ktap_test "no commit before the vif is connected" guard_not_connected
ktap_test "no commit beside a vif that is not ours" guard_foreign_vif
ktap_test "the commit, seen from the host" commits
ktap_test "after a commit every change is refused" locked_after_the_commit
ktap_test "after a commit a dead backend is lamented" backend_dies_after_the_commit
ktap_test "after a restore committed again, once connected" committed_again_after_restore
ktap_test "after a restore without a vif the NIC is back" nic_is_back_when_the_vif_is_not
ktap_test "unload after a commit" unload_after_a_commit
destroy_guest $G
ktap_end
