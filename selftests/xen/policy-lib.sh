# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What the policy's scenarios share, sourced after lib.sh: the guest $G, orders
# to it in the words of guest/policy, and the host's side of a vif: withheld,
# killed, brought back.

# orders COMMANDS: in the guest, in one trip, with guest/policy sourced.
orders() {
	guest "$G" "ADDRESS=$(guest_v4 "$G") PEER=$(remote_v4) STANDIN=${STANDIN:-}
		. /lab/policy
		$1"
}

# The backend's directory in xenstore and its name on dom0's bus.
backend_dir() { echo "/local/domain/0/backend/vif/$(domid "$G")/${1:-0}"; }
backend_name() { echo "vif-$(domid "$G")-${1:-0}"; }

# Without the hotplug script's word netback does not become Connected.
withhold() { xenstore-rm "$(backend_dir "${1:-0}")/hotplug-status"; }
grant() { xenstore-write "$(backend_dir "${1:-0}")/hotplug-status" connected; }

# The backend dies as with its domain: it is gone, and nobody put it offline.
# netback allows to be bound anew and leaves its state behind, so that is written.
kill_backend() {
	backend_name "${1:-0}" >/sys/bus/xen-backend/drivers/vif/unbind
	xenstore-write "$(backend_dir "${1:-0}")/state" 6
}

revive_backend() {
	backend_name "${1:-0}" >/sys/bus/xen-backend/drivers/vif/bind
	plug_backend "${1:-0}"
}

# What the toolstack does only once: the hotplug script.
plug_backend() {
	local vif
	vif=vif$(domid "$G").$1
	wait_for 10 "$vif" test -e "/sys/class/net/$vif"
	XENBUS_PATH=backend/vif/$(domid "$G")/$1 vif=$vif INTERFACE='' \
		/host/lab/vif-lab online type_if=vif
}

# The device model's Ethernet cards, and how many functions it has in all.
host_nics() { qemu_monitor "$G" 'info pci' | grep -c 'Ethernet controller' || true; }
host_functions() { qemu_monitor "$G" 'info pci' | grep -c '^ *Bus ' || true; }

host_has() {
	local nics
	nics=$(host_nics)
	((nics == $1)) || fail "the device model has $nics Ethernet cards, not $1"
}

agent_answers() { GUEST_TIMEOUT=5 guest "$G" true; }

# backend_type TYPE [DEVID]: what the host says of the twin, for the next load.
backend_type() { xenstore-write "$(backend_dir "${2:-0}")/type" "$1"; }

# Detached on purpose. xl takes the twin's tap from the bridge, too; other
# toolstacks leave it there, so it is put back: the emulated path is open.
detach_and_leave_tap() {
	detach_vif "$G" 0
	ip link set "vif$(domid "$G").0-emu" master "$BRIDGE" up
}
