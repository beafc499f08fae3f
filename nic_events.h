/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The table of events: what follows from one, by policy, by the twin's state
 * and by circumstance. The other half of nic_policy.h, which has the words it
 * is written in, and as pure. Row numbers are those of the table in
 * Documentation/policy.rst; the first row that applies is taken.
 */
#ifndef NIC_EVENTS_H
#define NIC_EVENTS_H

#include "nic_policy.h"

/* One row of the decision. */
struct nic_rule {
	u8 row;
	u8 policies;
	u8 event;
	u16 states;
	u8 when;
	u8 unless;
	u8 next;
	u16 actions;
	const char *why;
};

#define NIC_P_KEEP	NIC_BIT(NIC_KEEP)
#define NIC_P_ONLY_HIDE	NIC_BIT(NIC_HIDE)
#define NIC_P_HIDE	(NIC_BIT(NIC_HIDE) | NIC_BIT(NIC_UNPLUG))
#define NIC_P_ANY	(NIC_P_KEEP | NIC_P_HIDE)

#define NIC_S_NONE	NIC_BIT(NIC_TWIN_NONE)
#define NIC_S_VISIBLE	NIC_BIT(NIC_TWIN_VISIBLE)
#define NIC_S_BUSY	NIC_BIT(NIC_TWIN_BUSY)
#define NIC_S_HIDDEN	NIC_BIT(NIC_TWIN_HIDDEN)
#define NIC_S_ORPHAN	NIC_BIT(NIC_TWIN_ORPHAN)
#define NIC_S_RETURNED	NIC_BIT(NIC_TWIN_RETURNED)
#define NIC_S_AMBIGUOUS	NIC_BIT(NIC_TWIN_AMBIGUOUS)
#define NIC_S_GONE	NIC_BIT(NIC_TWIN_GONE)
#define NIC_S_ANY	(NIC_BIT(NIC_TWIN_STATES) - 1)
#define NIC_S_FREE	(NIC_S_NONE | NIC_S_VISIBLE | NIC_S_BUSY | NIC_S_GONE)
#define NIC_S_WITHHELD	(NIC_S_HIDDEN | NIC_S_ORPHAN)

#define NIC_SAME	0xff	/* next: as it was */

/**
 * nic_rules() - the table
 * @count: set to the number of its rules
 *
 * Columns: row, policies, event, states, when all of, unless one of, next
 * state, actions, reason.
 */
static inline const struct nic_rule *nic_rules(unsigned int *count)
{
	static const struct nic_rule rules[] = {
	/* A netdev of the twin exists. */
	{ 3, NIC_P_KEEP, NIC_EV_SEEN, NIC_S_ANY & ~NIC_S_AMBIGUOUS, 0, 0,
	  NIC_TWIN_VISIBLE, NIC_DO_ALIAS | NIC_DO_WARN,
	  "unplug=keep shows both it and its vif" },
	{ 14, NIC_P_HIDE, NIC_EV_SEEN, NIC_S_ANY & ~NIC_S_AMBIGUOUS,
	  NIC_IF_BY_HAND, 0, NIC_TWIN_RETURNED, 0,
	  "was given back by hand" },
	{ 9, NIC_P_HIDE, NIC_EV_SEEN, NIC_S_FREE, 0, NIC_IF_OK,
	  NIC_TWIN_RETURNED, 0, "its vif has failed" },
	{ 4, NIC_P_HIDE, NIC_EV_SEEN, NIC_S_FREE | NIC_S_HIDDEN, NIC_IF_UP,
	  NIC_IF_FORCE, NIC_TWIN_BUSY, NIC_DO_WARN,
	  "it is up and left alone; will be hidden when it goes down" },
	{ 3, NIC_P_HIDE, NIC_EV_SEEN, NIC_S_FREE | NIC_S_HIDDEN, 0, 0,
	  NIC_TWIN_HIDDEN, NIC_DO_RELEASE,
	  "its vif is ours, its driver is released" },
	{ 12, NIC_P_HIDE, NIC_EV_SEEN, NIC_S_ORPHAN, 0, NIC_IF_UP,
	  NIC_SAME, NIC_DO_RELEASE, "its vif was removed on purpose" },

	/* A native driver is about to register the twin. */
	{ 5, NIC_P_KEEP, NIC_EV_POST_INIT, NIC_S_ANY & ~NIC_S_AMBIGUOUS, 0, 0,
	  NIC_TWIN_VISIBLE, NIC_DO_ALIAS | NIC_DO_WARN,
	  "unplug=keep shows both it and its vif" },
	{ 14, NIC_P_HIDE, NIC_EV_POST_INIT, NIC_S_ANY & ~NIC_S_AMBIGUOUS,
	  NIC_IF_BY_HAND, 0, NIC_TWIN_RETURNED, 0,
	  "was given back by hand" },
	{ 5, NIC_P_HIDE, NIC_EV_POST_INIT, NIC_S_FREE, NIC_IF_OK, 0,
	  NIC_TWIN_HIDDEN, NIC_DO_REFUSE,
	  "its vif is ours, its netdev is refused" },
	{ 9, NIC_P_HIDE, NIC_EV_POST_INIT, NIC_S_FREE, 0, 0,
	  NIC_TWIN_RETURNED, 0, "its vif has failed" },
	{ 10, NIC_P_HIDE, NIC_EV_POST_INIT, NIC_S_RETURNED, NIC_IF_OK,
	  NIC_IF_COOLING, NIC_TWIN_HIDDEN, NIC_DO_REFUSE,
	  "its vif works again, its netdev is refused" },
	{ 14, NIC_P_HIDE, NIC_EV_POST_INIT, NIC_S_HIDDEN, 0, 0,
	  NIC_SAME, NIC_DO_REFUSE | NIC_DO_SAY_ONCE,
	  "refused again; write give-back to the vif's file twin to allow it" },
	{ 14, NIC_P_HIDE, NIC_EV_POST_INIT, NIC_S_ORPHAN, 0, 0,
	  NIC_SAME, NIC_DO_REFUSE | NIC_DO_SAY_ONCE,
	  "its vif was removed on purpose; set unplug=keep to allow it" },

	/* The twin is set down, or disappears. */
	{ 4, NIC_P_HIDE, NIC_EV_DOWN, NIC_S_BUSY, NIC_IF_OK, 0,
	  NIC_TWIN_HIDDEN, NIC_DO_RELEASE,
	  "it went down, its driver is released" },
	{ 10, NIC_P_HIDE, NIC_EV_DOWN, NIC_S_RETURNED, NIC_IF_OK,
	  NIC_IF_COOLING | NIC_IF_BY_HAND, NIC_TWIN_HIDDEN, NIC_DO_RELEASE,
	  "it went down and its vif works, its driver is released" },
	{ 14, NIC_P_ANY, NIC_EV_NETDEV_GONE, NIC_S_VISIBLE | NIC_S_BUSY, 0, 0,
	  NIC_TWIN_NONE, 0, "its driver let go of it" },
	{ 15, NIC_P_ANY, NIC_EV_FUNCTION_GONE, NIC_S_ORPHAN | NIC_S_NONE, 0, 0,
	  NIC_SAME, 0, "it was removed from the PCI bus" },
	{ 15, NIC_P_ANY, NIC_EV_FUNCTION_GONE, NIC_S_AMBIGUOUS, 0, 0,
	  NIC_TWIN_NONE, NIC_DO_SCAN, "it was removed from the PCI bus" },
	{ 15, NIC_P_ANY, NIC_EV_FUNCTION_GONE, NIC_S_ANY, 0, 0,
	  NIC_TWIN_GONE, 0, "it was removed from the PCI bus" },

	/* Which of two is the twin, or is one at all? Then show it. */
	{ 24, NIC_P_ANY, NIC_EV_DOUBT, NIC_S_ORPHAN | NIC_S_AMBIGUOUS, 0, 0,
	  NIC_SAME, 0, "it may be a passed-through NIC" },
	{ 24, NIC_P_ANY, NIC_EV_DOUBT, NIC_S_HIDDEN, 0, 0,
	  NIC_TWIN_AMBIGUOUS, NIC_DO_GIVE_BACK | NIC_DO_WARN,
	  "it may be a passed-through NIC" },
	{ 24, NIC_P_ANY, NIC_EV_DOUBT, NIC_S_ANY, 0, 0,
	  NIC_TWIN_AMBIGUOUS, NIC_DO_WARN, "it may be a passed-through NIC" },

	/* Nothing to decide: the kernel was faster. */
	{ 2, NIC_P_ANY, NIC_EV_ABSENT, NIC_S_NONE, NIC_IF_IOEMU,
	  NIC_IF_COMMITTED, NIC_TWIN_GONE, 0,
	  "unplugged at boot by the kernel; boot with xen_emul_unplug=ide-disks to let us decide" },

	/* A vif comes. */
	{ 7, NIC_P_ANY, NIC_EV_VIF_ADDED, NIC_S_ANY, 0, 0,
	  NIC_SAME, NIC_DO_TIMER | NIC_DO_SCAN, "its vif is connecting" },
	{ 11, NIC_P_HIDE, NIC_EV_VIF_ADOPTS, NIC_S_NONE, 0, 0,
	  NIC_TWIN_HIDDEN, 0, "its vif was added again" },

	/* A vif works. */
	{ 10, NIC_P_HIDE, NIC_EV_VIF_CONNECTED, NIC_S_RETURNED,
	  NIC_IF_BY_HAND, 0, NIC_SAME, NIC_DO_NO_TIMER,
	  "was given back by hand" },
	{ 10, NIC_P_HIDE, NIC_EV_VIF_CONNECTED, NIC_S_RETURNED, NIC_IF_UP, 0,
	  NIC_TWIN_BUSY, NIC_DO_NO_TIMER | NIC_DO_WARN,
	  "its vif works, but it is up; will be hidden when it goes down" },
	{ 10, NIC_P_HIDE, NIC_EV_VIF_CONNECTED, NIC_S_RETURNED,
	  NIC_IF_COOLING, 0, NIC_SAME,
	  NIC_DO_NO_TIMER | NIC_DO_RETRY | NIC_DO_SAY,
	  "its vif works; will be hidden a minute after it was given back" },
	{ 10, NIC_P_HIDE, NIC_EV_VIF_CONNECTED, NIC_S_RETURNED, 0, 0,
	  NIC_TWIN_HIDDEN, NIC_DO_RELEASE | NIC_DO_NO_TIMER,
	  "its vif works again, its driver is released" },
	{ 8, NIC_P_ANY, NIC_EV_VIF_CONNECTED, NIC_S_ANY, 0, 0,
	  NIC_SAME, NIC_DO_NO_TIMER, "its vif is connected" },
	{ 10, NIC_P_HIDE, NIC_EV_RETRY, NIC_S_RETURNED,
	  NIC_IF_OK | NIC_IF_UP, NIC_IF_BY_HAND, NIC_TWIN_BUSY, NIC_DO_WARN,
	  "its vif works, but it is up; will be hidden when it goes down" },
	{ 10, NIC_P_HIDE, NIC_EV_RETRY, NIC_S_RETURNED, NIC_IF_OK,
	  NIC_IF_BY_HAND | NIC_IF_COOLING, NIC_TWIN_HIDDEN, NIC_DO_RELEASE,
	  "its vif works again, its driver is released" },
	{ 10, NIC_P_HIDE, NIC_EV_RETRY, NIC_S_RETURNED, NIC_IF_OK,
	  NIC_IF_BY_HAND, NIC_SAME, NIC_DO_RETRY,
	  "its vif works; will be hidden a minute after it was given back" },

	/* A vif does not work. */
	{ 9, NIC_P_HIDE, NIC_EV_VIF_FAILED, NIC_S_HIDDEN, NIC_IF_TIMED, 0,
	  NIC_TWIN_RETURNED, NIC_DO_GIVE_BACK | NIC_DO_NO_TIMER | NIC_DO_WARN,
	  "its vif has failed" },
	{ 9, NIC_P_HIDE, NIC_EV_VIF_FAILED, NIC_S_HIDDEN, 0, 0,
	  NIC_SAME, NIC_DO_NO_TIMER | NIC_DO_WARN | NIC_DO_SAY,
	  "its vif has failed, but unplug_timeout=0 says never give back" },
	{ 9, NIC_P_HIDE, NIC_EV_VIF_FAILED, NIC_S_BUSY, 0, 0,
	  NIC_TWIN_RETURNED, NIC_DO_NO_TIMER, "its vif has failed" },
	{ 19, NIC_P_HIDE, NIC_EV_VIF_FAILED, NIC_S_NONE, NIC_IF_COMMITTED, 0,
	  NIC_SAME, NIC_DO_RESCAN_BUS | NIC_DO_NO_TIMER | NIC_DO_WARN |
	  NIC_DO_SAY,
	  "its vif has failed after a resume, the bus is scanned for it" },
	{ 13, NIC_P_HIDE, NIC_EV_VIF_FAILED, NIC_S_GONE, NIC_IF_COMMITTED, 0,
	  NIC_SAME, NIC_DO_NO_TIMER | NIC_DO_WARN | NIC_DO_SAY,
	  "its vif has failed, and after an unplug nothing can be given back" },
	{ 9, NIC_P_ANY, NIC_EV_VIF_FAILED, NIC_S_ANY, 0, 0,
	  NIC_SAME, NIC_DO_NO_TIMER, "its vif has failed" },
	{ 9, NIC_P_HIDE, NIC_EV_VIF_TIMEOUT, NIC_S_HIDDEN, NIC_IF_TIMED, 0,
	  NIC_TWIN_RETURNED, NIC_DO_GIVE_BACK | NIC_DO_NO_TIMER | NIC_DO_WARN,
	  "its vif did not connect in time" },
	{ 9, NIC_P_HIDE, NIC_EV_VIF_TIMEOUT, NIC_S_BUSY, 0, 0,
	  NIC_TWIN_RETURNED, NIC_DO_NO_TIMER,
	  "its vif did not connect in time" },
	{ 19, NIC_P_HIDE, NIC_EV_VIF_TIMEOUT, NIC_S_NONE, NIC_IF_COMMITTED, 0,
	  NIC_SAME, NIC_DO_RESCAN_BUS | NIC_DO_NO_TIMER | NIC_DO_WARN |
	  NIC_DO_SAY,
	  "its vif did not connect after a resume, the bus is scanned for it" },
	{ 9, NIC_P_ANY, NIC_EV_VIF_TIMEOUT, NIC_S_ANY, 0, 0,
	  NIC_SAME, NIC_DO_NO_TIMER, "its vif did not connect in time" },
	{ 13, NIC_P_HIDE, NIC_EV_VIF_LOST, NIC_S_GONE, NIC_IF_COMMITTED, 0,
	  NIC_SAME, NIC_DO_TIMER | NIC_DO_WARN | NIC_DO_SAY,
	  "its vif lost the backend, and after an unplug nothing can be given back" },
	{ 13, NIC_P_ANY, NIC_EV_VIF_LOST, NIC_S_ANY, 0, 0,
	  NIC_SAME, NIC_DO_TIMER, "its vif lost the backend" },

	/* A vif goes: on purpose it takes the twin with it (isolation). */
	{ 12, NIC_P_ANY, NIC_EV_VIF_LEAVING, NIC_S_ANY, 0, 0,
	  NIC_SAME, NIC_DO_NO_TIMER, "its vif is being removed" },
	{ 12, NIC_P_HIDE, NIC_EV_VIF_REMOVED, NIC_S_WITHHELD, 0, 0,
	  NIC_TWIN_ORPHAN, NIC_DO_NO_TIMER,
	  "its vif was removed on purpose" },
	{ 12, NIC_P_ANY, NIC_EV_VIF_REMOVED, NIC_S_ANY, 0, 0,
	  NIC_TWIN_NONE, NIC_DO_UNALIAS | NIC_DO_FORGET | NIC_DO_QUIET,
	  "its vif was removed on purpose" },
	{ 17, NIC_P_HIDE, NIC_EV_VIF_UNBOUND, NIC_S_WITHHELD, 0, 0,
	  NIC_TWIN_RETURNED, NIC_DO_GIVE_BACK | NIC_DO_FORGET,
	  "its vif is no longer driven by this module" },
	{ 17, NIC_P_HIDE, NIC_EV_VIF_UNBOUND, NIC_S_GONE, NIC_IF_COMMITTED, 0,
	  NIC_SAME, NIC_DO_FORGET | NIC_DO_WARN | NIC_DO_SAY,
	  "its vif is no longer driven, and after an unplug nothing can be given back" },
	{ 19, NIC_P_HIDE, NIC_EV_VIF_UNBOUND, NIC_S_NONE, NIC_IF_COMMITTED, 0,
	  NIC_SAME, NIC_DO_RESCAN_BUS | NIC_DO_FORGET | NIC_DO_SAY,
	  "its vif is no longer driven, the bus is scanned for it" },
	{ 17, NIC_P_ANY, NIC_EV_VIF_UNBOUND, NIC_S_ANY, 0, 0,
	  NIC_TWIN_NONE, NIC_DO_UNALIAS | NIC_DO_FORGET | NIC_DO_QUIET,
	  "its vif is no longer driven by this module" },

	/* Root speaks. */
	{ 14, NIC_P_HIDE, NIC_EV_GIVE_BACK, NIC_S_HIDDEN, 0, 0,
	  NIC_TWIN_RETURNED, NIC_DO_GIVE_BACK,
	  "was given back by hand" },
	{ 14, NIC_P_HIDE, NIC_EV_GIVE_BACK, NIC_S_BUSY, 0, 0,
	  NIC_TWIN_RETURNED, 0, "was given back by hand" },
	{ 16, NIC_P_KEEP, NIC_EV_POLICY, NIC_S_HIDDEN, 0, 0,
	  NIC_TWIN_VISIBLE, NIC_DO_GIVE_BACK | NIC_DO_ALIAS,
	  "unplug=keep was written" },
	{ 16, NIC_P_KEEP, NIC_EV_POLICY, NIC_S_ORPHAN, 0, 0,
	  NIC_TWIN_RETURNED, NIC_DO_GIVE_BACK | NIC_DO_FORGET,
	  "unplug=keep was written" },
	{ 16, NIC_P_KEEP, NIC_EV_POLICY, NIC_S_BUSY | NIC_S_RETURNED, 0, 0,
	  NIC_TWIN_VISIBLE, NIC_DO_ALIAS, "unplug=keep was written" },
	{ 19, NIC_P_KEEP | NIC_P_ONLY_HIDE, NIC_EV_POLICY, NIC_S_NONE,
	  NIC_IF_COMMITTED, 0, NIC_SAME,
	  NIC_DO_RESCAN_BUS | NIC_DO_SAY,
	  "unplug= was written after a resume, the bus is scanned for it" },
	{ 16, NIC_P_HIDE, NIC_EV_POLICY, NIC_S_VISIBLE, 0, 0,
	  NIC_TWIN_NONE, NIC_DO_UNALIAS | NIC_DO_SCAN | NIC_DO_QUIET,
	  "unplug= was written" },
	{ 16, NIC_P_HIDE, NIC_EV_POLICY, NIC_S_RETURNED, NIC_IF_OK, 0,
	  NIC_TWIN_NONE, NIC_DO_SCAN | NIC_DO_QUIET, "unplug= was written" },
	{ 16, NIC_P_ANY, NIC_EV_POLICY, NIC_S_ANY, 0, 0,
	  NIC_SAME, NIC_DO_SCAN, "unplug= was written" },

	/* The commit, and what undoes it. */
	{ 25, NIC_P_ANY, NIC_EV_SURVIVED, NIC_S_WITHHELD, 0, 0,
	  NIC_TWIN_AMBIGUOUS, NIC_DO_GIVE_BACK | NIC_DO_WARN,
	  "it survived the unplug, so it is a passed-through NIC" },
	{ 8, NIC_P_HIDE, NIC_EV_COMMITTED,
	  NIC_S_HIDDEN | NIC_S_NONE | NIC_S_BUSY, 0, 0,
	  NIC_TWIN_GONE, 0, "its vif is connected and the host has unplugged it" },
	{ 18, NIC_P_ANY, NIC_EV_CANCELLED, NIC_S_ANY, 0, 0,
	  NIC_SAME, 0, "the suspend was cancelled" },
	{ 19, NIC_P_HIDE, NIC_EV_RESUMED, NIC_S_GONE, NIC_IF_COMMITTED, 0,
	  NIC_TWIN_NONE, NIC_DO_TIMER,
	  "the device model is a fresh one; to be unplugged again" },
	{ 19, NIC_P_ANY, NIC_EV_RESUMED, NIC_S_ORPHAN, 0, 0,
	  NIC_SAME, 0, "its vif was removed on purpose" },
	{ 19, NIC_P_ANY, NIC_EV_RESUMED, NIC_S_ANY, 0, 0,
	  NIC_SAME, NIC_DO_TIMER, "its vif is connecting after a resume" },

	/* The module goes. */
	{ 17, NIC_P_HIDE, NIC_EV_UNLOAD, NIC_S_WITHHELD, 0, 0,
	  NIC_TWIN_RETURNED, NIC_DO_GIVE_BACK | NIC_DO_FORGET,
	  "the module is unloaded" },
	{ 17, NIC_P_HIDE, NIC_EV_UNLOAD, NIC_S_GONE, NIC_IF_COMMITTED, 0,
	  NIC_SAME, NIC_DO_FORGET | NIC_DO_WARN | NIC_DO_SAY,
	  "the module is unloaded, and after an unplug nothing can be given back" },
	{ 19, NIC_P_HIDE, NIC_EV_UNLOAD, NIC_S_NONE, NIC_IF_COMMITTED, 0,
	  NIC_SAME, NIC_DO_RESCAN_BUS | NIC_DO_FORGET | NIC_DO_SAY,
	  "the module is unloaded, the bus is scanned for it" },
	{ 17, NIC_P_ANY, NIC_EV_UNLOAD, NIC_S_ANY, 0, 0,
	  NIC_TWIN_NONE, NIC_DO_UNALIAS | NIC_DO_FORGET | NIC_DO_QUIET,
	  "the module is unloaded" },
	};

	*count = ARRAY_SIZE(rules);
	return rules;
}

/* The vif's own half of an event, before the twin is decided on. */
static inline u8 nic_link_next(u8 link, u8 event)
{
	switch (event) {
	case NIC_EV_VIF_ADDED:
		return NIC_LINK_CONNECTING;
	case NIC_EV_VIF_CONNECTED:
		return NIC_LINK_CONNECTED;
	case NIC_EV_VIF_FAILED:
	case NIC_EV_VIF_TIMEOUT:
	case NIC_EV_VIF_UNBOUND:
		return NIC_LINK_FAILED;
	case NIC_EV_VIF_LOST:
		return NIC_LINK_LOST;
	case NIC_EV_VIF_LEAVING:
		return NIC_LINK_LEAVING;
	case NIC_EV_VIF_REMOVED:
		return NIC_LINK_REMOVED;
	case NIC_EV_RESUMED:
		return link == NIC_LINK_REMOVED ? link : NIC_LINK_CONNECTING;
	default:
		return link;
	}
}

static inline bool nic_event_is_sighting(u8 event)
{
	return event == NIC_EV_SEEN || event == NIC_EV_POST_INIT ||
	       event == NIC_EV_DOUBT;
}

static inline void nic_verdict_marks(struct nic_verdict *verdict, u8 event)
{
	struct nic_vif *vif = &verdict->vif;

	if (event == NIC_EV_GIVE_BACK && verdict->row)
		vif->by_hand = true;
	if (event == NIC_EV_POLICY)
		vif->by_hand = false;
	if (event == NIC_EV_COMMITTED && verdict->row)
		vif->committed = true;
	if (event == NIC_EV_SEEN || event == NIC_EV_POST_INIT ||
	    verdict->actions & NIC_DO_RESCAN_BUS)
		vif->committed = false;
}

/**
 * nic_decide() - what follows from one event
 * @policy: as nic_policy_effective() gives it
 * @vif: the record of the vif in question
 * @event: enum nic_event; for a sighting nic_match() has said what it is
 * @circumstances: NIC_IF_UP, _FORCE, _COOLING and _TIMED; the rest is in @vif
 *
 * Return: the verdict; without a row, actions and a reason where nothing
 * follows but, perhaps, a change of the vif's own state.
 */
static inline struct nic_verdict nic_decide(u8 policy,
					    const struct nic_vif *vif, u8 event,
					    u8 circumstances)
{
	struct nic_verdict verdict = { .vif = *vif };
	const struct nic_rule *rule;
	unsigned int count, i;
	u8 now = circumstances;

	if (nic_event_is_sighting(event) &&
	    (vif->type == NIC_TYPE_VIF || vif->type == NIC_TYPE_BROKEN))
		return verdict;
	if (event == NIC_EV_VIF_TIMEOUT && !nic_link_waits(vif->link))
		return verdict;
	/* Each attempt to reconnect may be lost too: one timer for all. */
	if (event == NIC_EV_VIF_LOST && !nic_link_losable(vif->link))
		return verdict;

	verdict.vif.link = nic_link_next(vif->link, event);
	now |= nic_link_ok(verdict.vif.link) ? NIC_IF_OK : 0;
	now |= vif->by_hand && event != NIC_EV_POLICY ? NIC_IF_BY_HAND : 0;
	now |= vif->committed ? NIC_IF_COMMITTED : 0;
	now |= vif->type == NIC_TYPE_IOEMU ? NIC_IF_IOEMU : 0;

	rule = nic_rules(&count);
	for (i = 0; i < count; i++, rule++) {
		if (rule->event != event ||
		    !(rule->policies & NIC_BIT(policy)) ||
		    !(rule->states & NIC_BIT(vif->twin)) ||
		    (now & rule->when) != rule->when || now & rule->unless)
			continue;
		if (rule->next != NIC_SAME)
			verdict.vif.twin = rule->next;
		verdict.actions = rule->actions;
		verdict.row = rule->row;
		verdict.why = rule->why;
		break;
	}
	nic_verdict_marks(&verdict, event);
	return verdict;
}

#endif /* NIC_EVENTS_H */
