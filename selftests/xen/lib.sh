# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# The scenario library, sourced in dom0 by every selftests/xen/*.sh: KTAP
# reports, waits with a deadline, guests and their devices. What runs traffic
# is in traffic.sh.
#
# Settings from the host: DRIVER, DRIVER_OPTS, KERNEL, LINUX_OPTIONS, GUEST_TYPES, SEED.

set -euo pipefail
. /host/settings

LAB_STATE=/run/lab
SCENARIO=$(basename "${0##*/}" .sh)
BRIDGE=xenbr0
# The path, as busybox runs its own "ip" when one of its applets is asked for it.
IP=/bin/ip
mkdir -p "$LAB_STATE"

# ---- reports ---------------------------------------------------------------

ktap_count=0 ktap_failures=0

report() { printf '%s\n' "$*" >>/host/ktap; }

# ktap_test NAME COMMAND...: runs it under set -e in a subshell; 4 is a skip,
# whose reason is its last line of output.
ktap_test() {
	local name=$1 log status start=$SECONDS
	shift
	ktap_count=$((ktap_count + 1))
	log=$LAB_STATE/test.log
	printf '== %s\n' "$name"
	set +e
	(
		set -e
		"$@"
	) >"$log" 2>&1
	status=$?
	set -e
	cat "$log"
	case $status in
	0) report "ok $ktap_count $SCENARIO: $name ($((SECONDS - start)) s)" ;;
	4) report "ok $ktap_count $SCENARIO: $name # SKIP $(tail -1 "$log")" ;;
	*)
		ktap_failures=$((ktap_failures + 1))
		report "not ok $ktap_count $SCENARIO: $name (status $status after $((SECONDS - start)) s)"
		tail -25 "$log" | sed 's/^/#   /' >>/host/ktap
		;;
	esac
	return 0
}

# attempt COMMAND...: runs it under set -e and leaves its status in $attempt
# (bash ignores set -e left of || and in conditions).
attempt() {
	local errexit=$-
	set +e
	(
		set -e
		"$@"
	)
	# shellcheck disable=SC2034 # read by the callers
	attempt=$?
	[[ $errexit != *e* ]] || set -e
}

skip() {
	echo "$*"
	exit 4
}

fail() {
	echo "$*"
	return 1
}

# Ends a scenario: its status says whether all its tests passed.
ktap_end() { exit $((ktap_failures > 0)); }

# wait_for SECONDS WHAT COMMAND...: polls until the command succeeds.
wait_for() {
	local deadline=$((SECONDS + $1)) what=$2
	shift 2
	until "$@" >/dev/null 2>&1; do
		if ((SECONDS >= deadline)); then
			echo "waited in vain for: $what ($*)"
			return 1
		fi
		sleep 0.4
	done
}

# wait_for_key SECONDS PATH: until that xenstore key exists; prints its value. By
# a watch, as polling would take the CPU from the device models in dom0.
wait_for_key() {
	local events watcher value
	exec {events}< <(exec xenstore-watch "$2")
	watcher=$!
	while read -r -t "$1" -u "$events" _; do
		value=$(xenstore-read "$2" 2>/dev/null) && break
	done
	exec {events}<&-
	kill "$watcher" 2>/dev/null || true
	if [[ -z ${value:-} ]]; then
		fail "waited $1 s in vain for the xenstore key $2" >&2
		return 1
	fi
	echo "$value"
}

# ---- domains ---------------------------------------------------------------

vif_mac() { printf '00:16:3e:00:%02x:%02x' "$1" "$2"; }

# A number of its own for each guest name, in the order of creation.
guest_number() {
	local file=$LAB_STATE/$1.number
	if [[ ! -e $file ]]; then
		echo $(($(cat "$LAB_STATE/numbers" 2>/dev/null || echo 0) + 1)) >"$LAB_STATE/numbers"
		cp "$LAB_STATE/numbers" "$file"
	fi
	cat "$file"
}

domid() { local id && read -r id <"$LAB_STATE/$1.domid" && echo "$id"; }
remember_domid() { xl domid "$1" >"$LAB_STATE/$1.domid"; }
is_alive() { xenstore-exists "/local/domain/$(domid "$1")/name"; }

# vif_spec NAME DEVID EXTRA: one vif as xl wants it.
vif_spec() {
	printf 'mac=%s,bridge=%s,script=/host/lab/vif-lab%s' \
		"$(vif_mac "$(guest_number "$1")" "$2")" "$BRIDGE" "${3:+,$3}"
}

# guest_ramdisk [.zst]: what was built for the guests of this run, and their base.
guest_ramdisk() {
	local file=$LAB_STATE/ramdisk${1:-}
	# shellcheck disable=SC2153 # one of the settings
	[[ -e $file ]] || cat /host/overlay.cpio "/boot/lab/guest-$KERNEL.cpio${1:-}" >"$file"
	echo "$file"
}

# Where the device model puts what an HVM guest boots: beyond what firmware uses.
KERNEL_AT=0x4000000 RAMDISK_AT=0xa000000

le32() { printf '\\x%02x' $(($1 & 255)) $(($1 >> 8 & 255)) $(($1 >> 16 & 255)) $(($1 >> 24)); }

# Firmware fetches a kernel and its ramdisk byte by byte, each a trip to dom0: a
# minute. So the device model writes both into the guest's memory, and firmware
# fetches the kernel's real mode part alone, and behind it instructions that fill in
# where the ramdisk is (ramdisk_image, ramdisk_size; x86's boot protocol) and go on
# to the kernel. Sets $kernel and $devices.
preload() {
	local whole=/boot/lab/vmlinuz-$KERNEL ramdisk setup_sectors setup
	kernel=$LAB_STATE/real-mode
	ramdisk=$(guest_ramdisk)
	devices="'-device', 'loader,file=$LAB_STATE/protected-mode,addr=$KERNEL_AT,force-raw=on',
		'-device', 'loader,file=$ramdisk,addr=$RAMDISK_AT,force-raw=on',"
	[[ ! -e $kernel ]] || return 0
	setup_sectors=$(od -An -tu1 -j $((0x1f1)) -N 1 "$whole")
	setup=$(((setup_sectors + 1) * 512))
	tail -c +$((setup + 1)) "$whole" >"$LAB_STATE/protected-mode"
	head -c $setup "$whole" >"$kernel"
	# movl $RAMDISK_AT, 0x218(%esi); movl $size, 0x21c(%esi); movl $KERNEL_AT, %eax; jmp *%eax
	# shellcheck disable=SC2059 # bytes
	printf "\\xc7\\x86$(le32 0x218)$(le32 $RAMDISK_AT)\\xc7\\x86$(le32 0x21c)$(
		le32 "$(stat -Lc %s "$ramdisk")")\\xb8$(le32 $KERNEL_AT)\\xff\\xe0" >>"$kernel"
}

# guest_config NAME TYPE: prints the xl configuration from the options of
# create_guest (dynamic scope).
guest_config() {
	local name=$1 type=$2 console=hvc0 kernel=/boot/lab/vmlinux-$KERNEL ramdisk='' devices=''
	local i specs=() models
	# Without pci=noearly an HVM kernel looks for an AGP bridge in each PCI slot
	# there may be, and without edd=off for disks: trips to dom0, 40 s and 5 s.
	[[ $type != hvm ]] || console="ttyS0 pci=noearly edd=off"
	case $type$preload in
	hvm1) preload ;;
	hvm0) kernel=/boot/lab/vmlinuz-$KERNEL ramdisk="ramdisk = \"$(guest_ramdisk .zst)\"" ;;
	*) ramdisk="ramdisk = \"$(guest_ramdisk)\"" ;;
	esac
	read -ra models <<<"$model"
	for ((i = 0; i < vifs; i++)); do
		specs+=("'$(vif_spec "$name" "$i" "$([[ $type != hvm ]] || echo "model=${models[i]:-${models[0]}}")")'")
	done
	cat <<-CFG
		name = "$name"
		type = "$type"
		kernel = "$kernel"
		$ramdisk
		extra = "console=$console panic_on_warn=1 oops=panic panic=-1 loglevel=5 $LINUX_OPTIONS $cmdline"
		memory = $memory
		vcpus = $vcpus
		vif = [ $(IFS=,; echo "${specs[*]:-}") ]
		on_crash = "preserve"
		on_reboot = "$on_reboot"
		$xlextra
	CFG
	[[ $type != hvm ]] || cat <<-CFG
		device_model_override = "/usr/libexec/xen-qemu-system-i386"
		serial = "file:/host/console/$name.log"
		vnc = 0
		usb = 0
		vga = "none"
		device_model_args_hvm = [ $devices $dmargs ]
	CFG
}

# create_guest NAME TYPE [vifs=1] [vcpus=1] [memory=256] [model='rtl8139 …']
#   [cmdline='…'] [on_reboot=destroy] [xlextra='…'] [dmargs='"-device", "…"'] [preload=1]:
#   returns when its agent is up. model: each emulated NIC's, or the first's for all.
#   preload=0: an HVM guest's firmware fetches the kernel itself.
create_guest() {
	local name=$1 type=$2 option
	local vifs=1 vcpus=1 memory=256 model=rtl8139 cmdline='' on_reboot=destroy xlextra='' dmargs='' preload=1
	shift 2
	[[ $type != hvm ]] || memory=320 cmdline='xen_emul_unplug=ide-disks'
	for option; do
		case ${option%%=*} in
		vifs | vcpus | memory | model | cmdline | on_reboot | xlextra | dmargs | preload) local "$option" ;;
		*) fail "create_guest: no option '$option'"; return ;;
		esac
	done
	setup_network
	guest_number "$name" >/dev/null
	guest_config "$name" "$type" >"$LAB_STATE/$name.cfg"
	echo "$type" >"$LAB_STATE/$name.type"
	xl -t create -q "$LAB_STATE/$name.cfg"
	remember_domid "$name"
	wait_for_key $((preload ? 300 : 600)) "/local/domain/$(domid "$name")/data/agent"
}

destroy_guest() {
	[[ -e $LAB_STATE/$1.domid ]] || return 0
	xl destroy "$1" 2>/dev/null || true
	wait_for 20 "$1 to be gone" eval "! is_alive $1"
	rm -f "$LAB_STATE/$1.domid"
}

save_guest() { xl save "$1" "/var/tmp/$1.save" 2>&1 | tail -3; }

restore_guest() {
	xl restore "/var/tmp/$1.save" 2>&1 | tail -3
	rm -f "/var/tmp/$1.save"
	remember_domid "$1"
}

# attach_vif NAME DEVID [EXTRA]; detach_vif NAME DEVID
attach_vif() {
	local spec
	IFS=, read -ra spec < <(vif_spec "$1" "$2" "${3:-}"; echo)
	xl network-attach "$1" "${spec[@]}"
}

detach_vif() { xl network-detach "$1" "$2"; }

# vif_state NAME DEVID [frontend|backend]: xenbus state number.
vif_state() {
	case ${3:-frontend} in
	frontend) xenstore-read "/local/domain/$(domid "$1")/device/vif/$2/state" ;;
	backend) xenstore-read "/local/domain/0/backend/vif/$(domid "$1")/$2/state" ;;
	esac
}

# backend_key NAME DEVID KEY [VALUE]
backend_key() {
	local path
	path=/local/domain/0/backend/vif/$(domid "$1")/$2/$3
	if (($# > 3)); then xenstore-write "$path" "$4"; else xenstore-read "$path"; fi
}

# frontend_key NAME DEVID KEY
frontend_key() { xenstore-read "/local/domain/$(domid "$1")/device/vif/$2/$3" 2>/dev/null; }

# How many queues backends offer that are made from now on.
offer_queues() { echo "$1" >/sys/module/xen_netback/parameters/max_queues; }

vif_is() { [[ $(vif_state "$1" "$2" "${4:-frontend}" 2>/dev/null) == "$3" ]]; }

# The device model's monitor: qemu_monitor NAME 'info pci'
qemu_monitor() { xl qemu-monitor-command "$(domid "$1")" "$2"; }

# ---- commands in a guest ---------------------------------------------------

# guest NAME COMMAND: its output and its exit status; 124 when it does not
# answer within GUEST_TIMEOUT seconds (default 90). guest-agent is the other end.
guest() {
	local base token answer status chunks i paths=()
	base=/local/domain/$(domid "$1")/data
	token=$BASHPID-$RANDOM-${EPOCHREALTIME#*.}
	((${#2} < 3000)) || { fail "guest: command longer than xenstore takes"; return; }
	xenstore-write -- "$base/cmd/$token" "${2//\\/\\\\}"
	if ! answer=$(wait_for_key "${GUEST_TIMEOUT:-90}" "$base/r/$token/status"); then
		echo "no answer from $1 to: $2" >&2
		return 124
	fi
	status=${answer%% *} answer=${answer#* }
	chunks=${answer%% *} answer=${answer#* }
	for ((i = 0; i < chunks; i++)); do paths+=("$base/r/$token/$i"); done
	((chunks == 0)) || answer+=$(xenstore-read "${paths[@]}") || return 70
	printf '%b' "${answer//$'\n'/}"
	xenstore-rm "$base/r/$token" >/dev/null 2>&1 </dev/null &
	return "$status"
}

# guest_bg NAME TAG COMMAND, then guest_join NAME TAG SECONDS for its status
# and output.
guest_bg() { guest "$1" "rm -f /tmp/$2.rc; ( ($3) >/tmp/$2.out 2>&1; echo \$? >/tmp/$2.rc ) </dev/null >/dev/null 2>&1 &"; }

guest_join() {
	wait_for "$3" "$2 in $1 to end" guest "$1" "test -e /tmp/$2.rc" || return
	guest "$1" "cat /tmp/$2.out; exit \$(cat /tmp/$2.rc)"
}

# ---- the driver under test, addresses ------------------------------------------

driver_module() { if [[ $DRIVER == stock ]]; then echo xen-netfront; else echo xennet-lite; fi; }

# load_driver NAME [OPTIONS]: loads it and waits until vif 0 is connected.
load_driver() {
	guest "$1" "modprobe $(driver_module) ${2-$DRIVER_OPTS}"
	wait_for 20 "vif 0 of $1 to connect" vif_is "$1" 0 4
	wait_for 10 "the netdev of vif 0 in $1" netif "$1" 0
}

# xenbus holds the stock module while a vif is bound to it: unbind first.
unload_command() {
	# shellcheck disable=SC2016
	[[ $DRIVER != stock ]] ||
		printf 'for vif in /sys/bus/xen/drivers/vif/vif-*; do %s; done; ' \
			'echo ${vif##*/} >/sys/bus/xen/drivers/vif/unbind'
	echo "rmmod $(driver_module)"
}

unload_driver() { guest "$1" "$(unload_command)"; }

# netif NAME [DEVID]: the name of the vif's netdev in the guest.
netif() { guest "$1" "ls /sys/bus/xen/devices/vif-${2:-0}/net 2>/dev/null | grep ."; }

guest_v4() { echo "10.$((99 + ${2:-0})).0.$((10 + $(guest_number "$1")))"; }
guest_v6() { echo "fd00:$((99 + ${2:-0}))::$((10 + $(guest_number "$1")))"; }
remote_v4() { echo "10.$((99 + ${1:-0})).0.1"; }
remote_v6() { echo "fd00:$((99 + ${1:-0}))::1"; }

# guest_addr NAME [DEVID]: brings the vif's netdev up with its addresses.
guest_addr() {
	local dev
	dev=$(netif "$1" "${2:-0}")
	guest "$1" "sysctl -qw net.ipv6.conf.$dev.accept_dad=0
		ip addr flush dev $dev
		ip addr add $(guest_v4 "$@")/24 dev $dev
		ip link set $dev up
		ip -6 addr replace $(guest_v6 "$@")/64 dev $dev nodad"
	wait_for 20 "$1 to be reachable" peer ping -c 1 -W 1 "$(guest_v4 "$@")"
}

# ---- the network in dom0 ---------------------------------------------------

peer() { $IP netns exec peer "$@"; }

# A bridge for the vifs, and the peer: a network namespace behind a veth. The
# bridge's end of the veth computes every checksum and cuts every TSO frame,
# so that the peer verifies what a guest's offloads promised.
setup_network() {
	[[ ! -e $LAB_STATE/network ]] || return 0
	local i
	sysctl -qw net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.all.accept_dad=0
	ip link add "$BRIDGE" type bridge forward_delay 0 mcast_snooping 0
	ip netns add peer
	ip link add peer0b mtu 1500 type veth peer name peer0 netns peer
	ip link set peer0b master "$BRIDGE" up
	ip link set "$BRIDGE" up
	ethtool -K peer0b tx off tso off gso off >/dev/null 2>&1 || true
	peer ip link set lo up
	peer ip link set peer0 up
	for i in 0 1 2 3; do
		peer ip addr add "$(remote_v4 "$i")/24" dev peer0
		peer ip addr add "$(remote_v6 "$i")/64" dev peer0 nodad
	done
	touch "$LAB_STATE/network"
}
