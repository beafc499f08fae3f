# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Judges the logs of a run: what no console of a healthy run ever says.

BAD_LINES='BUG:|BUG at|kernel BUG|WARNING:|Oops|Kernel panic|general protection fault'
BAD_LINES+='|soft lockup|hard LOCKUP|blocked for more than|unreferenced object'
BAD_LINES+='|rcu.*(stall|detected)|Call Trace|refcount_t|use-after-free|Domain .* crashed'
BAD_LINES+='|stalled pool shutdown|NETDEV WATCHDOG|scheduling while atomic|unregister_netdevice: waiting'

# Known noise of a domain's end or of the emulated machine, not the driver's.
HARMLESS='clocksource: .*WARNING|spurious|Speculative|SRBDS|MDS CPU bug|TAA CPU bug'

# judge_logs DIR: prints the offending lines, each with its file; fails if any.
judge_logs() {
	! (cd "$1" && grep -aEn "$BAD_LINES" -- * /dev/null 2>/dev/null |
		grep -aEv "$HARMLESS" | head -40 | grep .)
}
