// SPDX-License-Identifier: GPL-2.0
/*
 * The table of events in Documentation/policy.rst, rows 1 to 13: how a pair is
 * met, and how its vif fares. A test for each row at the least, named for the
 * rule it defends.
 */
#include "policy_test.h"

static void row01_pv_pvh_and_dom0_load_inert(void)
{
	int policy;

	for (policy = 0; policy < NIC_POLICIES; policy++)
		EXPECT(nic_load(policy, true, false, true) == NIC_LOAD_INERT);
}

static void row01_auto_declines_where_no_pv_nics_are_wanted(void)
{
	EXPECT(nic_load(NIC_AUTO, true, true, false) == NIC_LOAD_DECLINE);
	EXPECT(nic_load(NIC_HIDE, true, true, false) == NIC_LOAD_ACTIVE);
	EXPECT(nic_load(NIC_KEEP, true, true, false) == NIC_LOAD_ACTIVE);
	EXPECT(nic_load(NIC_UNPLUG, true, true, false) == NIC_LOAD_ACTIVE);
	EXPECT(nic_load(NIC_HIDE, false, false, false) == NIC_LOAD_DECLINE);
}

static void row02_nic_unplugged_at_boot_is_gone(void)
{
	struct nic_vif vif = vif_with(NIC_LINK_CONNECTING, NIC_TWIN_NONE);
	const u8 policies[] = { NIC_KEEP, NIC_HIDE, NIC_UNPLUG };
	struct nic_verdict v;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(policies); i++) {
		v = ask(policies[i], &vif, NIC_EV_ABSENT);
		EXPECT(v.row == 2 && v.vif.twin == NIC_TWIN_GONE);
		EXPECT(strstr(v.why, "xen_emul_unplug=ide-disks"));
	}
}

static void row02_without_the_hosts_word_absence_is_none(void)
{
	struct nic_vif vif = vif_with(NIC_LINK_CONNECTING, NIC_TWIN_NONE);

	vif.type = NIC_TYPE_ABSENT;
	EXPECT(ask(NIC_HIDE, &vif, NIC_EV_ABSENT).vif.twin == NIC_TWIN_NONE);
	vif.type = NIC_TYPE_VIF;
	EXPECT(ask(NIC_HIDE, &vif, NIC_EV_ABSENT).vif.twin == NIC_TWIN_NONE);
}

static void row02_nothing_to_unplug_leaves_the_port_alone(void)
{
	struct nic_commit facts = { .hvm = true, .port = NIC_PORT_OK };

	EXPECT(nic_commit_guard(&facts) == NIC_GUARD_NOTHING);
}

static void row03_idle_twin_is_released_and_hidden(void)
{
	struct nic_vif vif = vif_with(NIC_LINK_CONNECTING, NIC_TWIN_NONE);
	struct nic_verdict v = ask(NIC_HIDE, &vif, NIC_EV_SEEN);

	EXPECT(v.row == 3 && v.vif.twin == NIC_TWIN_HIDDEN);
	EXPECT(v.actions & NIC_DO_RELEASE);
	v = ask(NIC_UNPLUG, &vif, NIC_EV_SEEN);
	EXPECT(v.row == 3 && v.vif.twin == NIC_TWIN_HIDDEN);
}

static void row03_keep_gives_an_alias_and_warns(void)
{
	struct nic_vif vif = vif_with(NIC_LINK_CONNECTING, NIC_TWIN_NONE);
	struct nic_verdict v = ask(NIC_KEEP, &vif, NIC_EV_SEEN);

	EXPECT(v.row == 3 && v.vif.twin == NIC_TWIN_VISIBLE);
	EXPECT(v.actions == (NIC_DO_ALIAS | NIC_DO_WARN));
}

static void row04_twin_in_use_is_left_alone(void)
{
	struct nic_vif vif = vif_with(NIC_LINK_CONNECTED, NIC_TWIN_NONE);
	struct nic_verdict v = nic_decide(NIC_HIDE, &vif, NIC_EV_SEEN,
					  NIC_IF_UP | NIC_IF_TIMED);

	EXPECT(v.row == 4 && v.vif.twin == NIC_TWIN_BUSY);
	EXPECT(!(v.actions & NIC_DO_RELEASE));
	EXPECT(v.actions & NIC_DO_WARN);
}

static void row04_busy_twin_is_hidden_when_it_goes_down(void)
{
	struct nic_vif vif = vif_with(NIC_LINK_CONNECTED, NIC_TWIN_BUSY);
	struct nic_verdict v = ask(NIC_HIDE, &vif, NIC_EV_DOWN);

	EXPECT(v.row == 4 && v.vif.twin == NIC_TWIN_HIDDEN);
	EXPECT(v.actions & NIC_DO_RELEASE);
}

static void row04_twin_set_up_before_its_release_becomes_busy(void)
{
	struct nic_vif vif = vif_with(NIC_LINK_CONNECTED, NIC_TWIN_HIDDEN);
	struct nic_verdict v = nic_decide(NIC_HIDE, &vif, NIC_EV_SEEN,
					  NIC_IF_UP);

	EXPECT(v.row == 4 && v.vif.twin == NIC_TWIN_BUSY);
}

static void row04_force_hides_a_twin_in_use(void)
{
	struct nic_vif vif = vif_with(NIC_LINK_CONNECTED, NIC_TWIN_BUSY);
	struct nic_verdict v = nic_decide(NIC_HIDE, &vif, NIC_EV_SEEN,
					  NIC_IF_UP | NIC_IF_FORCE);

	EXPECT(v.vif.twin == NIC_TWIN_HIDDEN && v.actions & NIC_DO_RELEASE);
}

static void row04_busy_twin_stays_when_its_vif_has_failed(void)
{
	struct nic_vif vif = vif_with(NIC_LINK_CONNECTED, NIC_TWIN_BUSY);

	vif = ask(NIC_HIDE, &vif, NIC_EV_VIF_FAILED).vif;
	EXPECT(vif.twin == NIC_TWIN_RETURNED);
	vif = ask(NIC_HIDE, &vif, NIC_EV_DOWN).vif;
	EXPECT(vif.twin == NIC_TWIN_RETURNED);
}

static void row05_native_driver_after_us_is_refused(void)
{
	struct nic_vif vif = vif_with(NIC_LINK_CONNECTING, NIC_TWIN_NONE);
	struct nic_verdict v = ask(NIC_HIDE, &vif, NIC_EV_POST_INIT);

	EXPECT(v.row == 5 && v.vif.twin == NIC_TWIN_HIDDEN);
	EXPECT(v.actions & NIC_DO_REFUSE);
	v = ask(NIC_KEEP, &vif, NIC_EV_POST_INIT);
	EXPECT(v.row == 5 && v.vif.twin == NIC_TWIN_VISIBLE);
	EXPECT(v.actions & NIC_DO_ALIAS && !(v.actions & NIC_DO_REFUSE));
}

static void row06_driverless_nics_may_not_outnumber_their_vifs(void)
{
	struct nic_commit facts = {
		.hvm = true, .port = NIC_PORT_OK, .unmatched = 2, .twinless = 2,
	};

	EXPECT(nic_commit_guard(&facts) == NIC_GUARD_NONE);
	facts.unmatched = 3;
	EXPECT(nic_commit_guard(&facts) == NIC_GUARD_UNMATCHED);
}

static void row07_connecting_vif_hides_at_once_and_starts_the_timer(void)
{
	struct nic_vif vif = vif_with(NIC_LINK_CONNECTING, NIC_TWIN_NONE);
	struct nic_verdict v = ask(NIC_HIDE, &vif, NIC_EV_VIF_ADDED);

	EXPECT(v.row == 7);
	EXPECT(v.actions == (NIC_DO_TIMER | NIC_DO_SCAN));
	EXPECT(ask(NIC_HIDE, &v.vif, NIC_EV_SEEN).vif.twin == NIC_TWIN_HIDDEN);
}

static void row07_connecting_vif_forbids_the_commit(void)
{
	struct nic_commit facts = {
		.hvm = true, .port = NIC_PORT_OK, .withheld = 1,
		.unconnected = 1,
	};

	EXPECT(nic_commit_guard(&facts) == NIC_GUARD_NOT_CONNECTED);
}

static void row08_connected_vif_stops_the_timer(void)
{
	struct nic_vif vif = vif_with(NIC_LINK_CONNECTING, NIC_TWIN_HIDDEN);
	struct nic_verdict v = ask(NIC_HIDE, &vif, NIC_EV_VIF_CONNECTED);

	EXPECT(v.row == 8 && v.actions == NIC_DO_NO_TIMER);
	EXPECT(v.vif.link == NIC_LINK_CONNECTED);
	EXPECT(v.vif.twin == NIC_TWIN_HIDDEN);
}

static void row08_connected_vifs_and_nothing_else_allow_the_commit(void)
{
	struct nic_commit facts = {
		.hvm = true, .port = NIC_PORT_OK, .withheld = 1,
	};

	EXPECT(nic_commit_guard(&facts) == NIC_GUARD_NONE);
}

static void row08_twin_that_vanished_is_gone(void)
{
	struct nic_vif vif = vif_with(NIC_LINK_CONNECTED, NIC_TWIN_HIDDEN);
	struct nic_verdict v = ask(NIC_UNPLUG, &vif, NIC_EV_COMMITTED);

	EXPECT(v.row == 8 && v.vif.twin == NIC_TWIN_GONE && v.vif.committed);
}

static void row09_failed_vif_gives_the_twin_back(void)
{
	struct nic_vif vif = vif_with(NIC_LINK_CONNECTING, NIC_TWIN_HIDDEN);
	struct nic_verdict v = ask(NIC_HIDE, &vif, NIC_EV_VIF_FAILED);

	EXPECT(v.row == 9 && v.vif.twin == NIC_TWIN_RETURNED);
	EXPECT(v.actions & NIC_DO_GIVE_BACK);
	v = ask(NIC_UNPLUG, &vif, NIC_EV_VIF_TIMEOUT);
	EXPECT(v.row == 9 && v.vif.twin == NIC_TWIN_RETURNED);
	EXPECT(v.actions & NIC_DO_GIVE_BACK);
}

static void row09_returned_twin_may_register(void)
{
	struct nic_vif vif = vif_with(NIC_LINK_CONNECTING, NIC_TWIN_HIDDEN);

	vif = ask(NIC_HIDE, &vif, NIC_EV_VIF_TIMEOUT).vif;
	EXPECT(!(ask(NIC_HIDE, &vif, NIC_EV_POST_INIT).actions &
		 NIC_DO_REFUSE));
	vif = vif_with(NIC_LINK_FAILED, NIC_TWIN_NONE);
	EXPECT(!(ask(NIC_HIDE, &vif, NIC_EV_POST_INIT).actions &
		 NIC_DO_REFUSE));
}

static void row09_timeout_zero_never_gives_back(void)
{
	struct nic_vif vif = vif_with(NIC_LINK_CONNECTING, NIC_TWIN_HIDDEN);
	struct nic_verdict v = nic_decide(NIC_HIDE, &vif, NIC_EV_VIF_FAILED, 0);

	EXPECT(v.vif.twin == NIC_TWIN_HIDDEN);
	EXPECT(!(v.actions & NIC_DO_GIVE_BACK));
	EXPECT(v.actions & NIC_DO_WARN && v.actions & NIC_DO_SAY);
}

static void row09_late_timer_does_not_touch_a_connected_vif(void)
{
	struct nic_vif vif = vif_with(NIC_LINK_CONNECTED, NIC_TWIN_HIDDEN);
	struct nic_verdict v = ask(NIC_HIDE, &vif, NIC_EV_VIF_TIMEOUT);

	EXPECT(!v.row && v.vif.link == NIC_LINK_CONNECTED);
}

static void row09_returned_twin_never_commits(void)
{
	struct nic_commit facts = {
		.hvm = true, .port = NIC_PORT_OK, .returned = 1, .withheld = 1,
		.force = true,
	};

	EXPECT(nic_commit_guard(&facts) == NIC_GUARD_RETURNED);
}

static void row10_late_vif_hides_the_twin_again(void)
{
	struct nic_vif vif = vif_with(NIC_LINK_FAILED, NIC_TWIN_RETURNED);
	struct nic_verdict v = ask(NIC_HIDE, &vif, NIC_EV_VIF_CONNECTED);

	EXPECT(v.row == 10 && v.vif.twin == NIC_TWIN_HIDDEN);
	EXPECT(v.actions & NIC_DO_RELEASE);
}

static void row10_late_vif_leaves_a_twin_in_use_alone(void)
{
	struct nic_vif vif = vif_with(NIC_LINK_FAILED, NIC_TWIN_RETURNED);
	struct nic_verdict v = nic_decide(NIC_HIDE, &vif, NIC_EV_VIF_CONNECTED,
					  NIC_IF_UP | NIC_IF_COOLING);

	EXPECT(v.row == 10 && v.vif.twin == NIC_TWIN_BUSY);
	EXPECT(!(v.actions & NIC_DO_RELEASE));
}

static void row10_hides_again_at_most_once_a_minute(void)
{
	struct nic_vif vif = vif_with(NIC_LINK_FAILED, NIC_TWIN_RETURNED);
	struct nic_verdict v = nic_decide(NIC_HIDE, &vif, NIC_EV_VIF_CONNECTED,
					  NIC_IF_COOLING);

	EXPECT(v.vif.twin == NIC_TWIN_RETURNED && v.actions & NIC_DO_RETRY);
	v = nic_decide(NIC_HIDE, &v.vif, NIC_EV_RETRY, NIC_IF_COOLING);
	EXPECT(v.vif.twin == NIC_TWIN_RETURNED && v.actions & NIC_DO_RETRY);
	v = nic_decide(NIC_HIDE, &v.vif, NIC_EV_RETRY, 0);
	EXPECT(v.vif.twin == NIC_TWIN_HIDDEN && v.actions & NIC_DO_RELEASE);
}

static void row10_retry_respects_a_vif_that_failed_again(void)
{
	struct nic_vif vif = vif_with(NIC_LINK_FAILED, NIC_TWIN_RETURNED);

	EXPECT(!ask(NIC_HIDE, &vif, NIC_EV_RETRY).row);
}

static void row11_orphan_of_a_vif_that_came_back_is_hidden(void)
{
	struct nic_vif vif = vif_with(NIC_LINK_CONNECTING, NIC_TWIN_NONE);
	struct nic_verdict v = ask(NIC_HIDE, &vif, NIC_EV_VIF_ADOPTS);

	EXPECT(v.row == 11 && v.vif.twin == NIC_TWIN_HIDDEN);
}

static void row11_hot_added_vif_of_type_vif_has_no_twin(void)
{
	struct nic_vif vif = vif_with(NIC_LINK_CONNECTING, NIC_TWIN_NONE);

	vif.type = NIC_TYPE_VIF;
	EXPECT(!ask(NIC_HIDE, &vif, NIC_EV_SEEN).row);
	EXPECT(!ask(NIC_HIDE, &vif, NIC_EV_POST_INIT).row);
}

static void row12_vif_removed_on_purpose_keeps_its_twin_hidden(void)
{
	struct nic_vif vif = vif_with(NIC_LINK_CONNECTED, NIC_TWIN_HIDDEN);
	struct nic_verdict v;

	v = ask(NIC_HIDE, &vif, NIC_EV_VIF_LEAVING);
	EXPECT(v.row == 12 && v.actions == NIC_DO_NO_TIMER);
	v = ask(NIC_HIDE, &v.vif, NIC_EV_VIF_REMOVED);
	EXPECT(v.row == 12 && v.vif.twin == NIC_TWIN_ORPHAN);
	EXPECT(!(v.actions & (NIC_DO_GIVE_BACK | NIC_DO_FORGET)));
}

static void row12_orphan_is_refused_for_ever(void)
{
	struct nic_vif vif = vif_with(NIC_LINK_REMOVED, NIC_TWIN_ORPHAN);
	struct nic_verdict v = ask(NIC_HIDE, &vif, NIC_EV_POST_INIT);

	EXPECT(v.actions & NIC_DO_REFUSE && v.vif.twin == NIC_TWIN_ORPHAN);
	v = ask(NIC_HIDE, &vif, NIC_EV_RESUMED);
	EXPECT(v.vif.twin == NIC_TWIN_ORPHAN &&
	       v.vif.link == NIC_LINK_REMOVED);
}

static void row13_lost_backend_starts_the_timer_and_stays_hidden(void)
{
	struct nic_vif vif = vif_with(NIC_LINK_CONNECTED, NIC_TWIN_HIDDEN);
	struct nic_verdict v = ask(NIC_HIDE, &vif, NIC_EV_VIF_LOST);

	EXPECT(v.row == 13 && v.actions == NIC_DO_TIMER);
	EXPECT(v.vif.twin == NIC_TWIN_HIDDEN && v.vif.link == NIC_LINK_LOST);
	v = ask(NIC_HIDE, &v.vif, NIC_EV_VIF_TIMEOUT);
	EXPECT(v.vif.twin == NIC_TWIN_RETURNED);
}

static void row13_further_losses_do_not_restart_the_timer(void)
{
	const u8 links[] = { NIC_LINK_CONNECTING, NIC_LINK_LOST,
			     NIC_LINK_FAILED };
	struct nic_vif vif;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(links); i++) {
		vif = vif_with(links[i], NIC_TWIN_HIDDEN);
		EXPECT(!ask(NIC_HIDE, &vif, NIC_EV_VIF_LOST).actions);
		EXPECT(ask(NIC_HIDE, &vif, NIC_EV_VIF_LOST).vif.link ==
		       links[i]);
	}
}

static void row13_lost_after_a_commit_says_nothing_can_be_given_back(void)
{
	struct nic_vif vif = vif_with(NIC_LINK_CONNECTED, NIC_TWIN_GONE);
	struct nic_verdict v;

	vif.committed = true;
	v = ask(NIC_UNPLUG, &vif, NIC_EV_VIF_LOST);
	EXPECT(v.row == 13 && v.actions & NIC_DO_SAY && v.actions & NIC_DO_WARN);
	EXPECT(!(v.actions & NIC_DO_GIVE_BACK));
}

const struct ktap_test event_tests[] = {
	KTAP_TEST(row01_pv_pvh_and_dom0_load_inert),
	KTAP_TEST(row01_auto_declines_where_no_pv_nics_are_wanted),
	KTAP_TEST(row02_nic_unplugged_at_boot_is_gone),
	KTAP_TEST(row02_without_the_hosts_word_absence_is_none),
	KTAP_TEST(row02_nothing_to_unplug_leaves_the_port_alone),
	KTAP_TEST(row03_idle_twin_is_released_and_hidden),
	KTAP_TEST(row03_keep_gives_an_alias_and_warns),
	KTAP_TEST(row04_twin_in_use_is_left_alone),
	KTAP_TEST(row04_busy_twin_is_hidden_when_it_goes_down),
	KTAP_TEST(row04_twin_set_up_before_its_release_becomes_busy),
	KTAP_TEST(row04_force_hides_a_twin_in_use),
	KTAP_TEST(row04_busy_twin_stays_when_its_vif_has_failed),
	KTAP_TEST(row05_native_driver_after_us_is_refused),
	KTAP_TEST(row06_driverless_nics_may_not_outnumber_their_vifs),
	KTAP_TEST(row07_connecting_vif_hides_at_once_and_starts_the_timer),
	KTAP_TEST(row07_connecting_vif_forbids_the_commit),
	KTAP_TEST(row08_connected_vif_stops_the_timer),
	KTAP_TEST(row08_connected_vifs_and_nothing_else_allow_the_commit),
	KTAP_TEST(row08_twin_that_vanished_is_gone),
	KTAP_TEST(row09_failed_vif_gives_the_twin_back),
	KTAP_TEST(row09_returned_twin_may_register),
	KTAP_TEST(row09_timeout_zero_never_gives_back),
	KTAP_TEST(row09_late_timer_does_not_touch_a_connected_vif),
	KTAP_TEST(row09_returned_twin_never_commits),
	KTAP_TEST(row10_late_vif_hides_the_twin_again),
	KTAP_TEST(row10_late_vif_leaves_a_twin_in_use_alone),
	KTAP_TEST(row10_hides_again_at_most_once_a_minute),
	KTAP_TEST(row10_retry_respects_a_vif_that_failed_again),
	KTAP_TEST(row11_orphan_of_a_vif_that_came_back_is_hidden),
	KTAP_TEST(row11_hot_added_vif_of_type_vif_has_no_twin),
	KTAP_TEST(row12_vif_removed_on_purpose_keeps_its_twin_hidden),
	KTAP_TEST(row12_orphan_is_refused_for_ever),
	KTAP_TEST(row13_lost_backend_starts_the_timer_and_stays_hidden),
	KTAP_TEST(row13_further_losses_do_not_restart_the_timer),
	KTAP_TEST(row13_lost_after_a_commit_says_nothing_can_be_given_back),
};

const unsigned int event_tests_count = ARRAY_SIZE(event_tests);
