#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Defends the decision per NIC: in a guest with two vifs, whose twins are an rtl8139
# and an e1000, each vif has its own twin, what befalls one leaves the other alone,
# and the commit, which is for all, waits for all.

# shellcheck source=selftests/xen/lib.sh disable=SC2016,SC2119,SC2317
. /host/xen/lib.sh
# shellcheck source=selftests/xen/policy-lib.sh
. /host/xen/policy-lib.sh

G=pairs

# An e1000's driver reads the card's EEPROM bit by bit, each a trip to dom0: minutes,
# where the machine is busy.
export GUEST_TIMEOUT=400

boots() {
	create_guest "$G" hvm vifs=2 model='rtl8139 e1000'
	host_has 2
	orders 'modprobe 8139cp; modprobe e1000; has "pci pci"'
}

# A twin's slot, as the file says it, has the address of its vif.
each_its_own() {
	orders 'mark; load unplug=keep; connected vif-0; connected vif-1
		twin visible vif-0; twin visible vif-1; has "vif-0 vif-1 pci pci"
		for i in 0 1; do cat $XEN/vif-$i/net/*/address; done >/tmp/vifs
		read -r _ a _ <$XEN/vif-0/twin; read -r _ b _ <$XEN/vif-1/twin
		cat $PCI/$a/net/*/address $PCI/$b/net/*/address >/tmp/twins
		cmp /tmp/vifs /tmp/twins || fail "crossed: $a $b"'
}

both_hidden() {
	orders 'mark; policy hide; twin hidden vif-0; twin hidden vif-1; has "vif-0 vif-1"; quiet
		heard 1 "vif-0: twin .* hidden"; heard 1 "vif-1: twin .* hidden"
		traffic vif-0; traffic vif-1; idle 8139cp; idle e1000'
}

reload_refused() {
	orders 'mark; native_away; modprobe e1000; modprobe 8139cp; sleep 1; has "vif-0 vif-1"; quiet'
}

both_given_back() {
	orders 'mark; unload; has "pci pci"; heard 1 "8139cp 0000:.* eth"; heard 1 "e1000 0000:.* eth.*PRO/1000"
		native_away; has ""'
}

# A card that no driver has shown is nobody's twin, so both drivers are there again.
one_backend_dies() {
	orders 'modprobe 8139cp; modprobe e1000; has "pci pci"; load unplug=hide; connected vif-0; connected vif-1
		twin hidden vif-0; twin hidden vif-1; echo 2 >$PARAMETERS/unplug_timeout; mark'
	kill_backend 0
	orders 'twin returned vif-0; has "vif-0 vif-1 pci"; twin hidden vif-1
		[[ $(cat /sys/class/net/$(netdev pci)/address) == $(cat $XEN/vif-0/net/*/address) ]] ||
			fail "the twin of the other is back"
		heard 0 "vif-1: twin"; traffic pci; traffic vif-1'
	revive_backend 0
	orders 'connected vif-0; policy hide; twin hidden vif-0; has "vif-0 vif-1"; traffic vif-0'
}

one_is_busy() {
	orders 'echo give-back >$XEN/vif-0/twin; has "vif-0 vif-1 pci"; ip link set $(netdev pci) up
		policy hide; twin busy vif-0; twin hidden vif-1; has "vif-0 vif-1 pci"
		ip link set $(netdev pci) down; twin hidden vif-0; has "vif-0 vif-1"'
}

commit_waits_for_all() {
	orders 'unload; has "pci pci"'
	withhold 1
	orders 'mark; load unplug=hide unplug_timeout=120; connected vif-0; policy unplug
		sleep 3; twin hidden vif-0; twin hidden vif-1
		heard 1 "unplug not committed: .* is not connected: vif-1"; has vif-0'
	host_has 2
	grant 1
	orders 'connected vif-1; twin gone vif-0; twin gone vif-1; has "vif-0 vif-1"; quiet
		traffic vif-0; traffic vif-1; heard 1 "unplug committed: the host has removed 2 NICs"'
	host_has 0
}

ktap_test "the guest boots, with an rtl8139 and an e1000" boots
ktap_test "each vif has its own twin" each_its_own
ktap_test "both are hidden" both_hidden
ktap_test "native drivers reloaded: both refused" reload_refused
ktap_test "both are given back, each to its driver" both_given_back
ktap_test "one backend dies: only its twin is back" one_backend_dies
ktap_test "one twin is up: the other is hidden" one_is_busy
ktap_test "the commit waits for both vifs" commit_waits_for_all
destroy_guest $G
ktap_end
