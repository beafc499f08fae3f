# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What the lab's host-side scripts share: where things are, how to say what
# went wrong. Owns no behaviour of its own; sourced, never run.

set -euo pipefail

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
BUILD=${BUILD:-$TOP/build}
case $BUILD in /*) ;; *) BUILD=$PWD/$BUILD ;; esac
LAB=$BUILD/lab
# shellcheck disable=SC2034
SUITE=bookworm

say() { printf '%s\n' "lab: $*"; }

# An error of the lab itself, never of the driver: exit status 2.
die() {
	printf '%s\n' "lab: error: $*" >&2
	exit 2
}

# need COMMAND PACKAGE...: a tool that scripts/setup brings.
need() {
	local tool=$1 dir
	shift
	for dir in "" /usr/sbin/ /sbin/; do
		command -v "$dir$tool" >/dev/null && return 0
	done
	die "'$tool' is missing (Debian package: $*). Run scripts/setup lab, then try again."
}

# kernel_release 6.1 -> 6.1.0-NN-amd64, from what the image holds.
kernel_release() {
	local image
	image=$(compgen -G "$LAB/boot/vmlinuz-$1.*" | sort -V | tail -1) ||
		die "no guest kernel $1 in $LAB/boot; try: scripts/lab/image --force"
	basename "${image#*/vmlinuz-}"
}
