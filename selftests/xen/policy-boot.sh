#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Defends the truth about boot lines: where the kernel has unplugged the NICs
# before the module came, it says so under every policy and writes no port; with
# unnecessary it decides, and with never it does so only if asked explicitly. And
# xennet-setup tells the administrator so, in each of the three.

# shellcheck source=selftests/xen/lib.sh disable=SC2016,SC2119,SC2317
. /host/xen/lib.sh
# shellcheck source=selftests/xen/policy-lib.sh
. /host/xen/policy-lib.sh

boots() {
	create_guest "$G" hvm cmdline="$1"
	host_has "$2"
}

unplugged_by_the_kernel() {
	orders 'modprobe 8139cp; has ""
		for to in auto hide keep unplug; do
			mark; load unplug=$to; connected; twin gone; why "unplugged at boot by the kernel"
			has vif-0; heard 1 "vif-0: twin - gone: unplugged at boot"; unload; has ""
		done
		load unplug=unplug; connected; twin gone; sleep 3; traffic vif-0
		heard 0 "unplug committed"
		for to in hide keep auto; do policy $to; twin gone; done'
	host_has 0
}

# The module is loaded, and as it cannot have its way a wish for it is advised on.
told_of_the_kernel() {
	orders '. /lab/setup
		status_says 0 "now: no xen_emul_unplug=, emulated NICs are unplugged at boot" \
			"no Ethernet card on the bus" "Loaded:   xennet_lite with unplug=auto." \
			"vif-0, driver xennet_lite; the host says it has an emulated twin; twin gone - unplugged at boot" \
			"In sum: the kernel itself unplugs the emulated NICs at every boot"
		mkdir -p /etc/modprobe.d; echo "options xennet_lite unplug=auto" >/etc/modprobe.d/policy.conf
		status_says 0 "Option:   unplug=auto" "In sum: the kernel itself unplugs"
		echo "options xennet_lite unplug=hide" >/etc/modprobe.d/policy.conf; policy hide
		status_says 3 "told unplug=hide, but the next boot" "xennet-setup set hide"'
}

module_decides() {
	orders 'modprobe 8139cp; has pci; mark; load; twin hidden; connected; has vif-0; quiet
		traffic vif-0; unload; has pci'
	host_has 1
}

told_that_it_decides() {
	orders '. /lab/setup
		status_says 0 "now: xen_emul_unplug=unnecessary, emulated NICs stay" "none is set, so unplug=auto" \
			"Ethernet card $(address), driver 8139cp" "vif-0, no driver; the host says it has an emulated twin" \
			"In sum: xennet_lite hides each emulated NIC while its vif works"
		load; twin hidden; connected
		status_says 0 "Loaded:   xennet_lite with unplug=auto." "Ethernet card $(address), no driver" \
			"vif-0, driver xennet_lite; the host says it has an emulated twin; twin hidden $(address)"
		policy keep; twin visible
		status_says 3 "The loaded module has unplug=keep: reload it, or echo auto"
		unload; has pci'
}

only_if_asked() {
	orders 'modprobe 8139cp; has pci; mark
		refused "No such device" modprobe xennet-lite
		heard 1 "told to use no paravirtual NICs; load with unplug=hide or unplug=keep"; has pci
		mark; load unplug=hide; twin hidden; connected; has vif-0; quiet; traffic vif-0; unload; has pci
		load unplug=keep; twin visible; connected; has "vif-0 pci"; unload; has pci'
	host_has 1
}

# An option makes it load where auto declines, and the sum is another.
told_that_never_asks_for_none() {
	orders '. /lab/setup
		status_says 0 "now: xen_emul_unplug=never, emulated NICs stay" "none is set, so unplug=auto" \
			"Ethernet card $(address), driver 8139cp" "vif-0, no driver" \
			"In sum: the boot line says never" "xennet_lite does not load unless a policy is set"
		mkdir -p /etc/modprobe.d; echo "options xennet_lite unplug=keep" >/etc/modprobe.d/policy.conf
		load; twin visible; connected; has "vif-0 pci"
		status_says 0 "Option:   unplug=keep, set in /etc/modprobe.d." "twin visible $(address)" \
			"In sum: both NICs of a pair stay"
		unload; has pci'
}

G=silent
ktap_test "xen_emul_unplug unset: the kernel unplugs at boot" boots '' 0
ktap_test "unset: gone under every policy, and the reason" unplugged_by_the_kernel
ktap_test "unset: xennet-setup status says that the kernel decides" told_of_the_kernel
destroy_guest $G
G=unnecessary
ktap_test "xen_emul_unplug=unnecessary: nothing is unplugged" boots xen_emul_unplug=unnecessary 1
ktap_test "unnecessary: the module decides" module_decides
ktap_test "unnecessary: xennet-setup status says that the module decides" told_that_it_decides
destroy_guest $G
G=never
ktap_test "xen_emul_unplug=never: nothing is unplugged" boots xen_emul_unplug=never 1
ktap_test "never: auto declines, hide and keep were asked for" only_if_asked
ktap_test "never: xennet-setup status says what that means" told_that_never_asks_for_none
destroy_guest $G
ktap_end
