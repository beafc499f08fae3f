// SPDX-License-Identifier: GPL-2.0
/*
 * Walks the decision through every policy, type, link, state, event and
 * circumstance, and checks what must hold whatever the table says.
 */
#include "policy_test.h"

struct step {
	u8 policy;
	u8 event;
	u8 now;
	struct nic_vif vif;
	struct nic_verdict v;
};

static bool withheld(u8 state)
{
	return state == NIC_TWIN_HIDDEN || state == NIC_TWIN_ORPHAN;
}

static void step_show(const struct step *s)
{
	printf("# policy %s event %s type %s link %u twin %s now %#x",
	       nic_policy_name(s->policy), nic_event_name(s->event),
	       nic_vif_type_name(s->vif.type), s->vif.link,
	       nic_twin_state_name(s->vif.twin), s->now);
	printf(" hand %u committed %u -> twin %s actions %#x row %u\n",
	       s->vif.by_hand, s->vif.committed,
	       nic_twin_state_name(s->v.vif.twin), s->v.actions, s->v.row);
}

/* Take the lowest digit of a number, in base @base, off it. */
static unsigned int digit(unsigned long *n, unsigned int base)
{
	unsigned int value = *n % base;

	*n /= base;
	return value;
}

static bool step_next(struct step *s, unsigned long n)
{
	static const u8 policies[] = { NIC_KEEP, NIC_HIDE, NIC_UNPLUG };

	s->policy = policies[digit(&n, ARRAY_SIZE(policies))];
	s->event = digit(&n, NIC_EVENTS);
	s->now = digit(&n, 16) << 1;	/* _UP, _FORCE, _COOLING, _TIMED */
	s->vif = vif_with(0, 0);
	s->vif.type = digit(&n, NIC_TYPES);
	s->vif.link = digit(&n, NIC_LINKS);
	s->vif.twin = digit(&n, NIC_TWIN_STATES);
	s->vif.by_hand = digit(&n, 2);
	s->vif.committed = digit(&n, 2);
	if (n)
		return false;
	s->v = nic_decide(s->policy, &s->vif, s->event, s->now);
	return true;
}

static void walk(bool (*holds)(const struct step *s))
{
	unsigned int failures = 0;
	unsigned long n;
	struct step s;

	for (n = 0; step_next(&s, n); n++) {
		if (holds(&s) || ++failures > 5)
			continue;
		step_show(&s);
		EXPECT(!"the invariant holds");
	}
	EXPECT(n > 100000);
}

static bool keep_holds(const struct step *s)
{
	return s->policy != NIC_KEEP ||
	       !(s->v.actions & (NIC_DO_REFUSE | NIC_DO_RELEASE));
}

static void keep_never_refuses_or_releases(void)
{
	walk(keep_holds);
}

static bool type_vif_holds(const struct step *s)
{
	if (s->vif.type != NIC_TYPE_VIF && s->vif.type != NIC_TYPE_BROKEN)
		return true;
	return !nic_event_is_sighting(s->event) ||
	       (!s->v.row && !s->v.actions && s->v.vif.twin == s->vif.twin);
}

static void type_vif_is_never_hidden(void)
{
	walk(type_vif_holds);
}

static bool removal_holds(const struct step *s)
{
	if (s->event != NIC_EV_VIF_REMOVED && s->event != NIC_EV_VIF_LEAVING)
		return true;
	if (s->v.actions & (NIC_DO_GIVE_BACK | NIC_DO_RESCAN_BUS))
		return false;
	return s->policy == NIC_KEEP || !withheld(s->vif.twin) ||
	       (withheld(s->v.vif.twin) && !(s->v.actions & NIC_DO_FORGET));
}

static void removal_on_purpose_never_gives_back(void)
{
	walk(removal_holds);
}

static bool refusal_holds(const struct step *s)
{
	if (!(s->v.actions & (NIC_DO_REFUSE | NIC_DO_RELEASE)))
		return true;
	if (!withheld(s->v.vif.twin))
		return false;
	/* What was not withheld yet is so only for a vif that works. */
	return withheld(s->vif.twin) || nic_link_ok(s->v.vif.link) ||
	       s->event == NIC_EV_SEEN;
}

static void only_a_vif_that_works_hides_its_twin(void)
{
	walk(refusal_holds);
}

static bool failed_sighting_holds(const struct step *s)
{
	if (s->event != NIC_EV_SEEN || nic_link_ok(s->vif.link) ||
	    withheld(s->vif.twin))
		return true;
	return !withheld(s->v.vif.twin);
}

static void failed_vif_hides_no_nic_that_is_seen(void)
{
	walk(failed_sighting_holds);
}

static bool up_holds(const struct step *s)
{
	if (!(s->now & NIC_IF_UP) || s->now & NIC_IF_FORCE ||
	    s->event == NIC_EV_DOWN || s->event == NIC_EV_POST_INIT)
		return true;
	return !(s->v.actions & NIC_DO_RELEASE);
}

static void nic_in_use_is_never_released_without_force(void)
{
	walk(up_holds);
}

static bool hand_holds(const struct step *s)
{
	if (!s->vif.by_hand || s->event == NIC_EV_POLICY ||
	    withheld(s->vif.twin) || s->vif.twin == NIC_TWIN_BUSY ||
	    s->event == NIC_EV_VIF_ADOPTS)
		return true;
	return !(s->v.actions & (NIC_DO_REFUSE | NIC_DO_RELEASE));
}

static void what_root_gave_back_stays_given(void)
{
	walk(hand_holds);
}

static bool give_back_holds(const struct step *s)
{
	bool given = s->v.actions & NIC_DO_GIVE_BACK;

	if (given && (!withheld(s->vif.twin) || withheld(s->v.vif.twin)))
		return false;
	if (given || !withheld(s->vif.twin) || withheld(s->v.vif.twin))
		return true;
	/* It leaves the withheld states without a driver only if it left. */
	switch (s->v.vif.twin) {
	case NIC_TWIN_GONE:
		return s->event == NIC_EV_FUNCTION_GONE ||
		       s->event == NIC_EV_COMMITTED;
	case NIC_TWIN_BUSY:
		return s->event == NIC_EV_SEEN && s->now & NIC_IF_UP;
	case NIC_TWIN_VISIBLE:
	case NIC_TWIN_RETURNED:
		return nic_event_is_sighting(s->event);
	default:
		/* keep has nothing withheld once it was written */
		return s->policy == NIC_KEEP;
	}
}

static void what_is_withheld_is_given_back_or_gone(void)
{
	walk(give_back_holds);
}

static bool failure_holds(const struct step *s)
{
	if (s->event != NIC_EV_VIF_FAILED || s->policy == NIC_KEEP ||
	    s->vif.twin != NIC_TWIN_HIDDEN || !(s->now & NIC_IF_TIMED))
		return true;
	return s->v.actions & NIC_DO_GIVE_BACK &&
	       s->v.vif.twin == NIC_TWIN_RETURNED;
}

static void every_failure_gives_a_hidden_twin_back(void)
{
	walk(failure_holds);
}

static bool contradiction_holds(const struct step *s)
{
	const u16 driver = NIC_DO_RELEASE | NIC_DO_GIVE_BACK;
	const u16 alias = NIC_DO_ALIAS | NIC_DO_UNALIAS;
	const u16 timer = NIC_DO_TIMER | NIC_DO_NO_TIMER;

	return (s->v.actions & driver) != driver &&
	       (s->v.actions & alias) != alias &&
	       (s->v.actions & timer) != timer &&
	       (!(s->v.actions & NIC_DO_REFUSE) ||
		s->event == NIC_EV_POST_INIT);
}

static void no_verdict_contradicts_itself(void)
{
	walk(contradiction_holds);
}

static bool ambiguous_holds(const struct step *s)
{
	return s->vif.twin != NIC_TWIN_AMBIGUOUS ||
	       !(s->v.actions & (NIC_DO_REFUSE | NIC_DO_RELEASE));
}

static void ambiguous_nic_is_never_touched(void)
{
	walk(ambiguous_holds);
}

static bool reason_holds(const struct step *s)
{
	if (s->v.row > 25 || !s->v.row != !s->v.why)
		return false;
	return s->v.row || (!s->v.actions && s->v.vif.twin == s->vif.twin);
}

static void every_change_has_a_row_and_a_reason(void)
{
	walk(reason_holds);
}

static void every_rule_can_be_reached(void)
{
	static unsigned int hits[256];
	const struct nic_rule *rules;
	unsigned int count, i;
	unsigned long n;
	struct step s;

	rules = nic_rules(&count);
	EXPECT(count < ARRAY_SIZE(hits));
	for (n = 0; step_next(&s, n); n++)
		for (i = 0; s.v.row && i < count; i++)
			hits[i] += rules[i].why == s.v.why &&
				   rules[i].row == s.v.row &&
				   rules[i].actions == s.v.actions &&
				   rules[i].event == s.event &&
				   rules[i].states & NIC_BIT(s.vif.twin);
	for (i = 0; i < count; i++) {
		if (hits[i])
			continue;
		printf("# rule %u (row %u, %s) is never taken\n", i,
		       rules[i].row, nic_event_name(rules[i].event));
		EXPECT(!"every rule is taken by some combination");
	}
}

const struct ktap_test walk_tests[] = {
	KTAP_TEST(keep_never_refuses_or_releases),
	KTAP_TEST(type_vif_is_never_hidden),
	KTAP_TEST(removal_on_purpose_never_gives_back),
	KTAP_TEST(only_a_vif_that_works_hides_its_twin),
	KTAP_TEST(failed_vif_hides_no_nic_that_is_seen),
	KTAP_TEST(nic_in_use_is_never_released_without_force),
	KTAP_TEST(what_root_gave_back_stays_given),
	KTAP_TEST(what_is_withheld_is_given_back_or_gone),
	KTAP_TEST(every_failure_gives_a_hidden_twin_back),
	KTAP_TEST(no_verdict_contradicts_itself),
	KTAP_TEST(ambiguous_nic_is_never_touched),
	KTAP_TEST(every_change_has_a_row_and_a_reason),
	KTAP_TEST(every_rule_can_be_reached),
};

const unsigned int walk_tests_count = ARRAY_SIZE(walk_tests);
