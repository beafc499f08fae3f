// SPDX-License-Identifier: GPL-2.0
/*
 * The table of events in Documentation/policy.rst, rows 14 to 25: what root,
 * the host and a fresh device model change. A test for each row at the least,
 * named for the rule it defends.
 */
#include "policy_test.h"

static void row14_hidden_twin_is_refused_again_and_said_once(void)
{
	struct nic_vif vif = vif_with(NIC_LINK_CONNECTED, NIC_TWIN_HIDDEN);
	struct nic_verdict v = ask(NIC_HIDE, &vif, NIC_EV_POST_INIT);

	EXPECT(v.row == 14 && v.vif.twin == NIC_TWIN_HIDDEN);
	EXPECT(v.actions == (NIC_DO_REFUSE | NIC_DO_SAY_ONCE));
	EXPECT(strstr(v.why, "give-back"));
}

static void row14_give_back_by_hand_holds(void)
{
	struct nic_vif vif = vif_with(NIC_LINK_CONNECTED, NIC_TWIN_HIDDEN);
	struct nic_verdict v = ask(NIC_HIDE, &vif, NIC_EV_GIVE_BACK);

	EXPECT(v.row == 14 && v.vif.twin == NIC_TWIN_RETURNED);
	EXPECT(v.actions & NIC_DO_GIVE_BACK && v.vif.by_hand);
	vif = v.vif;
	v = ask(NIC_HIDE, &vif, NIC_EV_POST_INIT);
	EXPECT(!(v.actions & NIC_DO_REFUSE));
	v = ask(NIC_HIDE, &vif, NIC_EV_VIF_CONNECTED);
	EXPECT(v.vif.twin == NIC_TWIN_RETURNED);
	v = ask(NIC_HIDE, &vif, NIC_EV_POLICY);
	EXPECT(!v.vif.by_hand && v.actions & NIC_DO_SCAN);
}

static void row14_give_back_of_nothing_changes_nothing(void)
{
	struct nic_vif vif = vif_with(NIC_LINK_CONNECTED, NIC_TWIN_GONE);
	struct nic_verdict v = ask(NIC_HIDE, &vif, NIC_EV_GIVE_BACK);

	EXPECT(!v.row && !v.actions && !v.vif.by_hand);
	EXPECT(v.vif.twin == NIC_TWIN_GONE);
}

static void row15_twin_removed_by_the_host_is_gone(void)
{
	struct nic_vif vif = vif_with(NIC_LINK_CONNECTED, NIC_TWIN_HIDDEN);
	struct nic_verdict v = ask(NIC_HIDE, &vif, NIC_EV_FUNCTION_GONE);

	EXPECT(v.row == 15 && v.vif.twin == NIC_TWIN_GONE);
	EXPECT(!v.vif.committed);
}

static void row15_rescanned_twin_is_refused_again(void)
{
	struct nic_vif vif = vif_with(NIC_LINK_CONNECTED, NIC_TWIN_GONE);
	struct nic_verdict v = ask(NIC_HIDE, &vif, NIC_EV_POST_INIT);

	EXPECT(v.actions & NIC_DO_REFUSE && v.vif.twin == NIC_TWIN_HIDDEN);
}

static void row16_hide_at_run_time_scans_now(void)
{
	struct nic_vif vif = vif_with(NIC_LINK_CONNECTED, NIC_TWIN_VISIBLE);
	struct nic_verdict v = ask(NIC_HIDE, &vif, NIC_EV_POLICY);

	EXPECT(v.row == 16 && v.actions & NIC_DO_SCAN);
	EXPECT(v.actions & NIC_DO_UNALIAS);
	EXPECT(ask(NIC_HIDE, &v.vif, NIC_EV_SEEN).vif.twin == NIC_TWIN_HIDDEN);
}

static void row16_keep_at_run_time_gives_everything_back(void)
{
	struct nic_vif vif = vif_with(NIC_LINK_CONNECTED, NIC_TWIN_HIDDEN);
	struct nic_verdict v = ask(NIC_KEEP, &vif, NIC_EV_POLICY);

	EXPECT(v.row == 16 && v.vif.twin == NIC_TWIN_VISIBLE);
	EXPECT(v.actions & NIC_DO_GIVE_BACK && v.actions & NIC_DO_ALIAS);
	vif = vif_with(NIC_LINK_REMOVED, NIC_TWIN_ORPHAN);
	v = ask(NIC_KEEP, &vif, NIC_EV_POLICY);
	EXPECT(v.actions == (NIC_DO_GIVE_BACK | NIC_DO_FORGET));
}

static void row16_after_a_commit_no_other_policy_is_taken(void)
{
	EXPECT(nic_policy_locked(NIC_UNPLUG, NIC_HIDE, true));
	EXPECT(nic_policy_locked(NIC_UNPLUG, NIC_KEEP, true));
	EXPECT(!nic_policy_locked(NIC_UNPLUG, NIC_UNPLUG, true));
	EXPECT(!nic_policy_locked(NIC_UNPLUG, NIC_HIDE, false));
}

static void row17_unload_gives_orphans_back_too(void)
{
	const u8 states[] = { NIC_TWIN_HIDDEN, NIC_TWIN_ORPHAN };
	struct nic_verdict v;
	struct nic_vif vif;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(states); i++) {
		vif = vif_with(NIC_LINK_REMOVED, states[i]);
		v = ask(NIC_HIDE, &vif, NIC_EV_UNLOAD);
		EXPECT(v.row == 17);
		EXPECT(v.actions == (NIC_DO_GIVE_BACK | NIC_DO_FORGET));
	}
}

static void row17_unbound_vif_gives_its_twin_back(void)
{
	struct nic_vif vif = vif_with(NIC_LINK_CONNECTED, NIC_TWIN_HIDDEN);
	struct nic_verdict v = nic_decide(NIC_HIDE, &vif, NIC_EV_VIF_UNBOUND,
					  0);

	EXPECT(v.row == 17);
	EXPECT(v.actions == (NIC_DO_GIVE_BACK | NIC_DO_FORGET));
}

static void row17_keep_takes_its_alias_back(void)
{
	struct nic_vif vif = vif_with(NIC_LINK_CONNECTED, NIC_TWIN_VISIBLE);
	struct nic_verdict v = ask(NIC_KEEP, &vif, NIC_EV_VIF_UNBOUND);

	EXPECT(v.row == 17 && v.actions & NIC_DO_UNALIAS);
	EXPECT(!(v.actions & NIC_DO_GIVE_BACK));
}

static void row17_unload_after_a_commit_is_loud(void)
{
	struct nic_vif vif = vif_with(NIC_LINK_CONNECTED, NIC_TWIN_GONE);
	struct nic_verdict v;

	vif.committed = true;
	v = ask(NIC_UNPLUG, &vif, NIC_EV_VIF_UNBOUND);
	EXPECT(v.actions & NIC_DO_WARN && v.actions & NIC_DO_SAY);
	EXPECT(v.actions & NIC_DO_FORGET);
	v = ask(NIC_UNPLUG, &vif, NIC_EV_UNLOAD);
	EXPECT(v.actions & NIC_DO_WARN && v.actions & NIC_DO_SAY);
}

static void row18_cancelled_suspend_changes_nothing(void)
{
	struct nic_verdict v;
	struct nic_vif vif;
	int state;

	for (state = 0; state < NIC_TWIN_STATES; state++) {
		vif = vif_with(NIC_LINK_CONNECTED, state);
		v = ask(NIC_UNPLUG, &vif, NIC_EV_CANCELLED);
		EXPECT(v.row == 18 && !v.actions);
		EXPECT(!memcmp(&v.vif, &vif, sizeof(vif)));
	}
}

static void row19_resume_restarts_the_timer_and_keeps_the_veto(void)
{
	struct nic_vif vif = vif_with(NIC_LINK_CONNECTED, NIC_TWIN_HIDDEN);
	struct nic_verdict v = ask(NIC_HIDE, &vif, NIC_EV_RESUMED);

	EXPECT(v.row == 19 && v.actions == NIC_DO_TIMER);
	EXPECT(v.vif.link == NIC_LINK_CONNECTING);
	EXPECT(ask(NIC_HIDE, &v.vif, NIC_EV_POST_INIT).actions &
	       NIC_DO_REFUSE);
}

static void row19_fresh_device_model_is_committed_anew(void)
{
	struct nic_vif vif = vif_with(NIC_LINK_CONNECTED, NIC_TWIN_GONE);
	struct nic_commit facts = {
		.hvm = true, .port = NIC_PORT_OK, .again = true,
		.unconnected = 1,
	};
	struct nic_verdict v;

	vif.committed = true;
	v = ask(NIC_UNPLUG, &vif, NIC_EV_RESUMED);
	EXPECT(v.row == 19 && v.vif.twin == NIC_TWIN_NONE && v.vif.committed);
	EXPECT(nic_commit_guard(&facts) == NIC_GUARD_NOT_CONNECTED);
	facts.unconnected = 0;
	EXPECT(nic_commit_guard(&facts) == NIC_GUARD_NONE);
	v = ask(NIC_UNPLUG, &v.vif, NIC_EV_COMMITTED);
	EXPECT(v.vif.twin == NIC_TWIN_GONE);
}

static void row19_resume_that_never_connects_brings_the_nic_back(void)
{
	struct nic_vif vif = vif_with(NIC_LINK_CONNECTING, NIC_TWIN_NONE);
	struct nic_verdict v;

	vif.committed = true;
	v = ask(NIC_UNPLUG, &vif, NIC_EV_VIF_TIMEOUT);
	EXPECT(v.row == 19 && v.actions & NIC_DO_RESCAN_BUS);
	EXPECT(!v.vif.committed);
	v = ask(NIC_UNPLUG, &v.vif, NIC_EV_POST_INIT);
	EXPECT(!(v.actions & NIC_DO_REFUSE));
	EXPECT(v.vif.twin == NIC_TWIN_RETURNED);
}

static void row19_leaving_unplug_after_a_resume_brings_the_nic_back(void)
{
	struct nic_vif vif = vif_with(NIC_LINK_CONNECTED, NIC_TWIN_NONE);
	const u8 events[] = { NIC_EV_UNLOAD, NIC_EV_VIF_UNBOUND };
	unsigned int i;

	vif.committed = true;
	for (i = 0; i < ARRAY_SIZE(events); i++)
		EXPECT(ask(NIC_UNPLUG, &vif, events[i]).actions &
		       NIC_DO_RESCAN_BUS);
	EXPECT(ask(NIC_KEEP, &vif, NIC_EV_POLICY).actions & NIC_DO_RESCAN_BUS);
	EXPECT(ask(NIC_HIDE, &vif, NIC_EV_POLICY).actions & NIC_DO_RESCAN_BUS);
	EXPECT(!(ask(NIC_UNPLUG, &vif, NIC_EV_POLICY).actions &
		 NIC_DO_RESCAN_BUS));
}

static void row19_unplug_at_boot_survives_a_resume(void)
{
	struct nic_vif vif = vif_with(NIC_LINK_CONNECTED, NIC_TWIN_GONE);
	struct nic_verdict v = ask(NIC_UNPLUG, &vif, NIC_EV_RESUMED);

	EXPECT(v.vif.twin == NIC_TWIN_GONE);
}

static void row20_a_hidden_nic_is_there_for_the_next_kernel(void)
{
	struct nic_vif vif = vif_with(NIC_LINK_CONNECTED, NIC_TWIN_HIDDEN);
	int event;

	/* Under hide no event at all takes the NIC from the machine. */
	for (event = 0; event < NIC_EVENTS; event++)
		if (event != NIC_EV_COMMITTED)
			EXPECT(!ask(NIC_HIDE, &vif, event).vif.committed);
}

static void row21_crash_kernel_demotes_unplug_to_hide(void)
{
	struct nic_commit facts = {
		.hvm = true, .port = NIC_PORT_OK, .withheld = 1, .kdump = true,
		.force = true,
	};

	EXPECT(nic_policy_effective(NIC_UNPLUG, true) == NIC_HIDE);
	EXPECT(nic_policy_effective(NIC_UNPLUG, false) == NIC_UNPLUG);
	EXPECT(nic_policy_effective(NIC_AUTO, true) == NIC_HIDE);
	EXPECT(nic_policy_effective(NIC_KEEP, true) == NIC_KEEP);
	EXPECT(nic_commit_guard(&facts) == NIC_GUARD_KDUMP);
}

static void row22_host_without_the_protocol_is_never_written_to(void)
{
	struct nic_commit facts = {
		.hvm = true, .withheld = 1, .force = true,
	};
	int port;

	for (port = NIC_PORT_ABSENT; port <= NIC_PORT_VERSION; port++) {
		facts.port = port;
		EXPECT(nic_commit_guard(&facts) != NIC_GUARD_NONE);
		EXPECT(nic_guard_is_final(nic_commit_guard(&facts)));
	}
}

static void row23_twin_that_comes_from_another_netns_is_met_again(void)
{
	struct nic_vif vif = vif_with(NIC_LINK_CONNECTED, NIC_TWIN_VISIBLE);

	vif = ask(NIC_KEEP, &vif, NIC_EV_NETDEV_GONE).vif;
	EXPECT(vif.twin == NIC_TWIN_NONE);
	EXPECT(ask(NIC_KEEP, &vif, NIC_EV_SEEN).vif.twin == NIC_TWIN_VISIBLE);
	EXPECT(ask(NIC_HIDE, &vif, NIC_EV_SEEN).vif.twin == NIC_TWIN_HIDDEN);
}

static void row24_doubt_hides_none_and_warns(void)
{
	struct nic_vif vif = vif_with(NIC_LINK_CONNECTED, NIC_TWIN_NONE);
	struct nic_verdict v = ask(NIC_HIDE, &vif, NIC_EV_DOUBT);

	EXPECT(v.row == 24 && v.vif.twin == NIC_TWIN_AMBIGUOUS);
	EXPECT(v.actions == NIC_DO_WARN);
	v = ask(NIC_HIDE, &v.vif, NIC_EV_POST_INIT);
	EXPECT(!(v.actions & NIC_DO_REFUSE));
	vif.twin = NIC_TWIN_HIDDEN;
	v = ask(NIC_HIDE, &vif, NIC_EV_DOUBT);
	EXPECT(v.actions & NIC_DO_GIVE_BACK);
}

static void row24_doubt_forbids_the_commit(void)
{
	struct nic_commit facts = {
		.hvm = true, .port = NIC_PORT_OK, .withheld = 1,
		.ambiguous = 1, .force = true,
	};

	EXPECT(nic_commit_guard(&facts) == NIC_GUARD_AMBIGUOUS);
}

static void row25_survivor_of_the_commit_is_given_back(void)
{
	struct nic_vif vif = vif_with(NIC_LINK_CONNECTED, NIC_TWIN_HIDDEN);
	struct nic_verdict v = ask(NIC_UNPLUG, &vif, NIC_EV_SURVIVED);

	EXPECT(v.row == 25 && v.vif.twin == NIC_TWIN_AMBIGUOUS);
	EXPECT(v.actions & NIC_DO_GIVE_BACK);
}

const struct ktap_test change_tests[] = {
	KTAP_TEST(row14_hidden_twin_is_refused_again_and_said_once),
	KTAP_TEST(row14_give_back_by_hand_holds),
	KTAP_TEST(row14_give_back_of_nothing_changes_nothing),
	KTAP_TEST(row15_twin_removed_by_the_host_is_gone),
	KTAP_TEST(row15_rescanned_twin_is_refused_again),
	KTAP_TEST(row16_hide_at_run_time_scans_now),
	KTAP_TEST(row16_keep_at_run_time_gives_everything_back),
	KTAP_TEST(row16_after_a_commit_no_other_policy_is_taken),
	KTAP_TEST(row17_unload_gives_orphans_back_too),
	KTAP_TEST(row17_unbound_vif_gives_its_twin_back),
	KTAP_TEST(row17_keep_takes_its_alias_back),
	KTAP_TEST(row17_unload_after_a_commit_is_loud),
	KTAP_TEST(row18_cancelled_suspend_changes_nothing),
	KTAP_TEST(row19_resume_restarts_the_timer_and_keeps_the_veto),
	KTAP_TEST(row19_fresh_device_model_is_committed_anew),
	KTAP_TEST(row19_resume_that_never_connects_brings_the_nic_back),
	KTAP_TEST(row19_leaving_unplug_after_a_resume_brings_the_nic_back),
	KTAP_TEST(row19_unplug_at_boot_survives_a_resume),
	KTAP_TEST(row20_a_hidden_nic_is_there_for_the_next_kernel),
	KTAP_TEST(row21_crash_kernel_demotes_unplug_to_hide),
	KTAP_TEST(row22_host_without_the_protocol_is_never_written_to),
	KTAP_TEST(row23_twin_that_comes_from_another_netns_is_met_again),
	KTAP_TEST(row24_doubt_hides_none_and_warns),
	KTAP_TEST(row24_doubt_forbids_the_commit),
	KTAP_TEST(row25_survivor_of_the_commit_is_given_back),
};

const unsigned int change_tests_count = ARRAY_SIZE(change_tests);
