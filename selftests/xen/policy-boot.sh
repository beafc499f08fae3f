#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Defends the truth about boot lines: where the kernel has unplugged the NICs
# before the module came, it says so under every policy and writes no port; with
# unnecessary it decides, and with never it does so only if asked explicitly.

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

module_decides() {
	orders 'modprobe 8139cp; has pci; mark; load; twin hidden; connected; has vif-0; quiet
		traffic vif-0; unload; has pci'
	host_has 1
}

only_if_asked() {
	orders 'modprobe 8139cp; has pci; mark
		refused "No such device" modprobe xennet-lite
		heard 1 "told to use no paravirtual NICs; load with unplug=hide or unplug=keep"; has pci
		mark; load unplug=hide; twin hidden; connected; has vif-0; quiet; traffic vif-0; unload; has pci
		load unplug=keep; twin visible; connected; has "vif-0 pci"; unload; has pci'
	host_has 1
}

G=silent
ktap_test "xen_emul_unplug unset: the kernel unplugs at boot" boots '' 0
ktap_test "unset: gone under every policy, and the reason" unplugged_by_the_kernel
destroy_guest $G
G=unnecessary
ktap_test "xen_emul_unplug=unnecessary: nothing is unplugged" boots xen_emul_unplug=unnecessary 1
ktap_test "unnecessary: the module decides" module_decides
destroy_guest $G
G=never
ktap_test "xen_emul_unplug=never: nothing is unplugged" boots xen_emul_unplug=never 1
ktap_test "never: auto declines, hide and keep were asked for" only_if_asked
destroy_guest $G
ktap_end
