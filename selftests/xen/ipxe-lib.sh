# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# A guest whose firmware is iPXE, sourced after lib.sh: iPXE finds the vif,
# fetches Linux through it by HTTP and leaves it as it is. It speaks on the VGA
# screen, which dom0 reads.

# shellcheck disable=SC2034 # the options of guest_config, by dynamic scope

WWW=$LAB_STATE/www

serve_files() {
	setup_network
	mkdir -p "$WWW"
	ln -sf "/boot/lab/vmlinuz-$KERNEL" "$WWW/vmlinuz"
	ln -sf "$(guest_ramdisk .zst)" "$WWW/initrd"
	[[ -e $LAB_STATE/httpd ]] || peer busybox httpd -p 80 -h "$WWW"
	touch "$LAB_STATE/httpd"
}

# ipxe_script NAME BOOT-LINE: iPXE stays at its table for a while, so that dom0
# reads it off the screen. After it, what is in PCI slots 3 to 6. A peer that is
# busy may not answer in iPXE's time: what fails is told, and done again.
ipxe_script() {
	cat <<-SCRIPT
		#!ipxe
		set net0/ip $(guest_v4 "$1")
		set net0/netmask 255.255.255.0
		goto fetch
		:again
		echo failed: \${errno}
		imgfree
		sleep 5
		:fetch
		ifopen net0 || goto again
		kernel http://$(remote_v4)/vmlinuz $2 || goto again
		initrd http://$(remote_v4)/initrd || goto again
		ifstat
		echo slots: \${pci/24.0.4:hexraw} \${pci/32.0.4:hexraw} \${pci/40.0.4:hexraw} \${pci/48.0.4:hexraw} end
		sleep 8
		boot
	SCRIPT
}

# create_ipxe_guest NAME [on_reboot=destroy]
# iPXE draws its random numbers from how regularly the RTC interrupts, 1024 times a
# second. Where the lab was too slow for a while, Xen would make up for each tick that
# was missed, and the guest come to nothing else.
create_ipxe_guest() {
	local vifs=1 vcpus=1 memory=384 model=rtl8139 on_reboot=destroy dmargs='' preload=0
	local xlextra='timer_mode = "one_missed_tick_pending"'
	local cmdline='xen_emul_unplug=ide-disks' line
	[[ -z ${2-} ]] || local "$2"
	guest_number "$1" >/dev/null
	serve_files
	guest_config "$1" hvm >"$LAB_STATE/$1.cfg"
	line=$(sed -n 's/^extra = "\(.*\)"/\1/p' "$LAB_STATE/$1.cfg")
	ipxe_script "$1" "$line" >"$LAB_STATE/$1.ipxe"
	sed -i -e 's|^kernel = .*|kernel = "/boot/ipxe.lkrn"|' \
		-e "s|^ramdisk = .*|ramdisk = \"$LAB_STATE/$1.ipxe\"|" \
		-e 's|^extra = .*|extra = ""|' -e 's|^vga = .*|vga = "stdvga"|' "$LAB_STATE/$1.cfg"
	echo hvm >"$LAB_STATE/$1.type"
	xl create -q "$LAB_STATE/$1.cfg"
	remember_domid "$1"
}

# The text on the guest's VGA screen: every second byte of its memory.
screen() {
	rm -f "$LAB_STATE/screen"
	qemu_monitor "$1" "pmemsave 0xb8000 4000 \"$LAB_STATE/screen\"" >/dev/null
	od -An -v -tu1 "$LAB_STATE/screen" | awk '{
		for (i = 1; i <= NF; i++) {
			if (n % 2 == 0) line = line sprintf("%c", $i < 32 || $i > 126 ? 32 : $i)
			if (++n % 160 == 0) { sub(/ +$/, "", line); print line; line = "" }
		} }'
}

# ipxe_table NAME: the lines of iPXE's ifstat on the screen, the NIC's and what
# is indented, to $LAB_STATE/ipxe; the PCI slots to $LAB_STATE/ipxe-slots.
ipxe_table() {
	screen "$1" >"$LAB_STATE/ipxe-screen"
	awk '/^net[0-9]+: .* using / { on = 1; print; next }
		/^  / && on { print; next }
		{ on = 0 }' "$LAB_STATE/ipxe-screen" >"$LAB_STATE/ipxe"
	grep '^slots: .* end$' "$LAB_STATE/ipxe-screen" >"$LAB_STATE/ipxe-slots"
}

wait_for_ipxe() {
	wait_for_boot "iPXE's ifstat on the guest's screen" ipxe_table "$1" && return
	cat "$LAB_STATE/ipxe-screen"
	return 1
}
wait_for_agent() { wait_for_boot "the agent of $1" xenstore-exists "/local/domain/$(domid "$1")/data/agent"; }

# As wait_for, but polls gently: while the guest boots dom0 must not be busy,
# or it takes the CPU that emulates the guest's devices.
wait_for_boot() {
	local deadline=$((SECONDS + 600)) what=$1
	shift
	until "$@" >/dev/null 2>&1; do
		((SECONDS < deadline)) || fail "waited in vain for: $what" || return
		sleep 1
	done
}
