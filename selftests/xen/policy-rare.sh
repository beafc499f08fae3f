#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Defends the rare events of the policy's table: the card leaves the bus, a suspend
# is cancelled, its netdev is in another namespace, a second card has its address.
# And kexec: the decision ends with its kernel, the next one finds the card, hidden
# before or unplugged, and the vif works there.

# shellcheck source=selftests/xen/lib.sh disable=SC2016,SC2119,SC2317
. /host/xen/lib.sh
# shellcheck source=selftests/xen/policy-lib.sh
. /host/xen/policy-lib.sh
# shellcheck source=selftests/xen/ipxe-lib.sh
. /host/xen/ipxe-lib.sh

G=rare
MAC=$(vif_mac "$(guest_number "$G")" 0)

# The device model made anew after a kexec would write what it preloads once more.
boots() {
	serve_files
	create_guest "$G" hvm memory=448 preload=0
	orders 'modprobe 8139cp; has pci'
}

# Nobody gives back what is not there; a card that comes back is met again.
leaves_the_bus() {
	orders 'load unplug=hide; connected; twin hidden; has vif-0; mark
		echo 1 >$PCI/$(address)/remove; twin gone; has vif-0; heard 1 "xennet_lite: vif-0: twin .* gone:"
		refused "No such device" write $XEN/vif-0/twin give-back
		echo 1 >/sys/bus/pci/rescan; twin hidden; has vif-0; quiet; traffic vif-0'
}

# The host takes a checkpoint, and the guest goes on.
suspend_cancelled() {
	orders 'traffic vif-0 keep; mark'
	xl save -c "$G" "/var/tmp/$G.save" 2>&1 | tail -3
	rm "/var/tmp/$G.save"
	wait_for 120 "the agent after the suspend" agent_answers
	host_has 1
	orders 'heard 0 "xennet_lite"; twin hidden; has vif-0; quiet; traffic vif-0; policy keep; has "vif-0 pci"'
}

# The card is known by its PCI function, whatever namespace its netdev is in.
in_another_netns() {
	orders 'mkdir -p /run/netns /var/run/netns; ip netns add other; ip link set $(netdev pci) netns other; has vif-0
		mark; policy hide; twin hidden
		[[ -z $(ip -n other -o link show | grep -v LOOPBACK) ]] || fail "its netdev is left"
		policy keep; has "vif-0 pci"; twin visible; ip netns del other; has "vif-0 pci"'
}

# A second card of the same address comes: none is hidden, for one may be real.
ambiguous() {
	orders 'policy hide; twin hidden; has vif-0; mark'
	qemu_monitor "$G" "device_add rtl8139,id=double,mac=$MAC,addr=0x1c"
	orders 'echo 1 >/sys/bus/pci/rescan; twin ambiguous; has "vif-0 pci pci"
		heard 1 "xennet_lite: vif-0: twin .* ambiguous:"; traffic vif-0
		policy unplug; sleep 3; twin ambiguous; heard 1 "unplug not committed: a twin may be a passed-through NIC"'
	host_has 2
	orders 'echo 1 >$PCI/0000:00:1c.0/remove; unload; has pci'
}

# The same kernel and initramfs, fetched through the vif.
next_kernel() {
	orders 'traffic vif-0 keep; cd /tmp
		for file in vmlinuz initrd; do
			wget -q -O $file http://$PEER/$file || fail "cannot fetch $file"
		done
		kexec -s -l vmlinuz --initrd=initrd --command-line="$(</proc/cmdline)" || fail "no kexec"
		rm vmlinuz initrd'
	xenstore-rm "/local/domain/$(domid "$G")/data/agent"
	cp "/host/console/$G.log" "/host/console/$G.$1.log"
	orders '(sleep 3; kexec -e) >/dev/null 2>&1 &'
	wait_for_agent "$G"
	remember_domid "$G"
	orders '[[ ! -d /sys/module/xennet_lite ]] || fail "this is the former kernel"'
}

after_hide() {
	orders 'load unplug=hide; twin hidden; connected; has vif-0'
	next_kernel hide
	host_has 1
	orders 'modprobe 8139cp; has pci; traffic pci; mark; load unplug=hide; twin hidden
		connected; has vif-0; quiet; traffic vif-0; unload; has pci'
}

# libxl answers a kexec with a fresh device model, and there is the card.
after_unplug() {
	orders 'load unplug=unplug; connected; twin gone; has vif-0'
	host_has 0
	next_kernel unplug
	host_has 1
	orders 'modprobe 8139cp; has pci; traffic pci'
}

ktap_test "the guest boots" boots
# First, while xl's monitor of the domain lives: it ends with a checkpoint.
ktap_test "kexec after hide: the card is there, and hidden anew" after_hide
ktap_test "kexec after an unplug: the card is back" after_unplug
ktap_test "the card leaves the bus, and comes back" leaves_the_bus
ktap_test "a suspend that was cancelled changes nothing" suspend_cancelled
ktap_test "a twin in another network namespace is hidden" in_another_netns
ktap_test "a second card of the same address: both are left alone" ambiguous
destroy_guest $G
ktap_end
