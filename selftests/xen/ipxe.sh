#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Defends the way from firmware to Linux: iPXE takes the vif and boots Linux through
# it, with the emulated card in its slot. The driver takes over such a vif, under
# every policy, and after a reboot, even from an unplug, firmware finds the vif
# and the card again.

# shellcheck source=selftests/xen/lib.sh disable=SC2016,SC2119,SC2317
. /host/xen/lib.sh
# shellcheck source=selftests/xen/policy-lib.sh
. /host/xen/policy-lib.sh
# shellcheck source=selftests/xen/ipxe-lib.sh
. /host/xen/ipxe-lib.sh

G=ipxe
MAC=$(vif_mac "$(guest_number "$G")" 0)

# vif_owned FRONTEND BACKEND: the states by which one sees who has the vif.
vif_owned() {
	local states
	states="$(vif_state "$G" 0) $(vif_state "$G" 0 backend)"
	[[ $states == "$1 $2" ]] || fail "the vif's states are $states, not $1 $2"
}

# One NIC by netfront; the card of its address, an rtl8139 (10ec:8139), which
# iPXE does not show a second time, is in its slot.
both_ways() {
	wait_for_ipxe "$G"
	host_has 1
	vif_owned 4 4
	cat "$LAB_STATE/ipxe" "$LAB_STATE/ipxe-slots"
	grep -qi "^net[0-9]*: $MAC using netfront" "$LAB_STATE/ipxe" || fail "iPXE has no netfront"
	grep -q '813910ec' "$LAB_STATE/ipxe-slots" || fail "iPXE sees no rtl8139 on the PCI bus"
}

# iPXE took its leave without disconnecting; Linux's xenbus has put that right.
linux_follows() {
	wait_for_agent "$G"
	vif_owned 1 2
	host_has 1
	orders 'modprobe 8139cp; has pci'
}

boots() {
	create_ipxe_guest "$G" on_reboot=restart
	both_ways
}

# Domain and device model are new then.
boots_again() {
	local old
	old=$(domid "$G")
	cp "/host/console/$G.log" "/host/console/$G.$old.log"
	guest "$G" '(sleep 3; busybox reboot -f) >/dev/null 2>&1 &'
	wait_for 60 "the domain to be a new one" eval '[[ $(xl domid '"$G"') -gt '"$old"' ]]'
	remember_domid "$G"
	both_ways
}

hides() {
	orders 'mark; load unplug=hide; connected; twin hidden; has vif-0; quiet; traffic vif-0
		heard 1 "xennet_lite: vif-0: twin .*hidden:"; idle 8139cp'
}

# xennet-setup, before and after an option is written.
status_is_true() {
	orders '. /lab/setup
		status_says 3 "Xen HVM: its NICs may be there twice" \
			"now: xen_emul_unplug=ide-disks, emulated NICs stay" \
			"Loaded:   xennet_lite with unplug=hide." "Ethernet card $(address), no driver" \
			"vif-0, driver xennet_lite; the host says it has an emulated twin; twin hidden $(address)" \
			"reload it, or echo auto" "In sum: xennet_lite hides each emulated NIC"
		mkdir -p /etc/modprobe.d; echo "options xennet_lite unplug=hide" >/etc/modprobe.d/policy.conf
		status_says 0 "Option:   unplug=hide, set in /etc/modprobe.d."'
}

unplugs() {
	orders 'mark; load unplug=unplug; connected; twin gone; has vif-0; quiet; traffic vif-0
		heard 1 "unplug committed"; heard 0 "unplug not committed"'
	host_has 0
}

status_after_unplug() {
	orders '. /lab/setup
		status_says 3 "no Ethernet card on the bus" "twin gone" "Loaded:   xennet_lite with unplug=unplug."'
}

keeps() {
	orders 'load unplug=keep; connected; twin visible; has "vif-0 pci"; traffic vif-0; traffic pci'
}

# This time the vif's former owner is this module itself.
decides_by_itself() {
	orders 'unload; has pci; mark; load; connected; twin hidden; has vif-0; quiet; traffic vif-0
		[[ $(<$PARAMETERS/unplug) == auto ]] || fail "unplug= is not auto"
		unload; has pci; traffic pci'
}

ktap_test "iPXE finds netfront, and the card on the bus" boots
ktap_test "Linux came through the vif that was iPXE's" linux_follows
ktap_test "keep takes over the vif, beside the card" keeps
ktap_test "auto takes over the vif, and unloads" decides_by_itself
ktap_test "hide takes over the vif" hides
ktap_test "xennet-setup status says what is" status_is_true
ktap_test "after hide and a reboot iPXE has both ways" boots_again
ktap_test "and Linux comes through it again" linux_follows
ktap_test "unplug takes over the vif and commits" unplugs
ktap_test "xennet-setup status after the commit" status_after_unplug
ktap_test "after the commit and a reboot iPXE has both ways" boots_again
destroy_guest $G
ktap_end
