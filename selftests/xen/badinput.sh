#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Defends against bad input: of a guest's vifs each but the first has another
# fault. Each says what is wrong in one line, the first works all the time, the
# module goes whatever the others do, and once mended they all connect.

. /host/xen/lib.sh

# What is wrong with vif N, and what its line must have.
FAULTS=(none no_rx_copy broken_mac multicast_mac no_mac withheld no_netback no_backend)
LINES=('connected to' 'lacks feature-rx-copy' 'mac is "nonsense"' 'mac is "01:00:5e:00:00:01"'
	'mac is ""' 'is .*, expected Connected' 'is InitWait, expected Connected'
	'is Initialising, expected InitWait')
COUNT=${#FAULTS[@]}
DRIVERS=/sys/bus/xen-backend/drivers/vif

frontend_dir() { echo "/local/domain/$(domid g)/device/vif/$1"; }
backend_dir() { echo "/local/domain/0/backend/vif/$(domid g)/$1"; }
netback() { echo "vif-$(domid g)-$2" >"$DRIVERS/$1"; }

both_macs() {
	xenstore-write "$(frontend_dir "$1")/mac" "$2" "$(backend_dir "$1")/mac" "$2"
}

no_rx_copy() { backend_key g "$1" feature-rx-copy 0; }
broken_mac() { both_macs "$1" nonsense; }
multicast_mac() { both_macs "$1" 01:00:5e:00:00:01; }
no_mac() { xenstore-rm "$(frontend_dir "$1")/mac" "$(backend_dir "$1")/mac"; }
withheld() { xenstore-rm "$(backend_dir "$1")/hotplug-status"; }

# The state it had while its driver was there: a backend that hangs.
no_netback() {
	netback unbind "$1"
	backend_key g "$1" state 2
}

no_backend() {
	netback unbind "$1"
	backend_key g "$1" state 1
}

guest_with_faults() {
	local i
	create_guest g pv vifs="$COUNT"
	for ((i = 1; i < COUNT; i++)); do
		wait_for 20 "the backend of vif $i" vif_is g "$i" 2 backend
		"${FAULTS[i]}" "$i"
	done
}

# The log's lines of a vif, less what the bus itself says of a failed probe.
lines_of() {
	guest g "dmesg | grep -E 'vif-$1[: ]' | grep -vE 'xenbus_dev_probe on|: probe of'" || true
}

says_once() {
	local lines
	lines=$(lines_of "$1")
	echo "$lines"
	[[ $lines =~ ${LINES[$1]} && $(wc -l <<<"$lines") == 1 ]]
}

has_spoken() { [[ $(lines_of "$1") ]]; }

# The last three speak after 10 s, and then no more.
all_speak() {
	local i
	for ((i = 1; i < COUNT; i++)); do wait_for 40 "a line about vif $i" has_spoken "$i"; done
}

# Its backend needs nothing from it but patience: what it wrote stays.
waits() {
	local ring
	ring=$(frontend_key g 5 tx-ring-ref)
	vif_is g 5 4
	sleep 12
	vif_is g 5 4
	[[ $(frontend_key g 5 tx-ring-ref) == "$ring" ]]
}

first_works() {
	guest_addr g
	peer ping -c 3 -i 0.2 -W 2 "$(guest_v4 g)"
}

# Each close waits for its backend 3 s at most.
unloads() {
	local start=$SECONDS
	GUEST_TIMEOUT=60 unload_driver g
	echo "unloaded within $((SECONDS - start)) s"
	! guest g "lsmod | grep -w xennet_lite"
}

all_mended() {
	local i
	backend_key g 1 feature-rx-copy 1
	for i in 2 3 4; do both_macs "$i" "$(vif_mac "$(guest_number g)" "$i")"; done
	for i in 6 7; do netback bind "$i"; done
	for i in 5 6 7; do backend_key g "$i" hotplug-status connected; done
	load_driver g
	for ((i = 0; i < COUNT; i++)); do wait_for 20 "vif $i to connect" vif_is g "$i" 4; done
	for ((i = 0; i < COUNT; i++)); do wait_for 20 "a netdev of vif $i" netif g "$i"; done
	first_works
}

late() {
	backend_key g 5 hotplug-status connected
	wait_for 30 "vif 5 to connect" vif_is g 5 4
	wait_for 20 "a netdev of vif 5" netif g 5
}

refuses() {
	guest g "dmesg -c >/dev/null
		! modprobe xennet_lite unplug=$1 || { echo 'loaded'; exit 1; }
		dmesg | grep xennet_lite:
		[ \$(dmesg | grep -c 'unplug=\"$1\" .* expected one of: auto') = 1 ] || exit 1
		! lsmod | grep -w xennet_lite"
}

# The parameter keeps its value.
refuses_at_run_time() {
	guest g "cd /sys/module/xennet_lite/parameters
		for value in nonsense '' 'hide keep' hidE; do
			! printf '%s\n' \"\$value\" >unplug || { echo \"took '\$value'\"; exit 1; }
			[ \$(cat unplug) = keep ] || exit 1
		done"
}

ktap_test "a guest whose vifs are at fault" guest_with_faults
ktap_test "unplug=nonsense: refused, the known values are listed" refuses nonsense
ktap_test "unplug= without a value: refused" refuses ''
ktap_test "the driver loads, vif 0 connects" load_driver g unplug=keep
ktap_test "and works" first_works
ktap_test "each faulty vif has something to say" all_speak
ktap_test "the withheld one waits, Connected" waits
for ((vif = 1; vif < COUNT; vif++)); do
	ktap_test "one line: ${FAULTS[vif]}" says_once "$vif"
done
ktap_test "vif 0 still works" first_works
ktap_test "unplug= at run time: nonsense changes nothing" refuses_at_run_time
ktap_test "a vif connects late" late
ktap_test "the driver unloads, whatever its backends do" unloads
ktap_test "mended, all connect" all_mended
ktap_test "the driver unloads" unloads
destroy_guest g
ktap_end
