// SPDX-License-Identifier: GPL-2.0
/* The guards of the commit: each one alone refuses it, and force skips two. */
#include "policy_test.h"

static struct nic_commit ready(void)
{
	return (struct nic_commit){
		.hvm = true, .port = NIC_PORT_OK, .withheld = 2,
	};
}

static void each_guard_alone_forbids_the_commit(void)
{
	struct nic_commit facts;

	facts = ready();
	EXPECT(nic_commit_guard(&facts) == NIC_GUARD_NONE);
	facts = ready();
	facts.hvm = false;
	EXPECT(nic_commit_guard(&facts) == NIC_GUARD_NOT_HVM);
	facts = ready();
	facts.kdump = true;
	EXPECT(nic_commit_guard(&facts) == NIC_GUARD_KDUMP);
	facts = ready();
	facts.withheld = 0;
	EXPECT(nic_commit_guard(&facts) == NIC_GUARD_NOTHING);
	facts = ready();
	facts.port = NIC_PORT_ABSENT;
	EXPECT(nic_commit_guard(&facts) == NIC_GUARD_PORT_ABSENT);
	facts = ready();
	facts.port = NIC_PORT_REFUSED;
	EXPECT(nic_commit_guard(&facts) == NIC_GUARD_PORT_REFUSED);
	facts = ready();
	facts.port = NIC_PORT_VERSION;
	EXPECT(nic_commit_guard(&facts) == NIC_GUARD_PORT_VERSION);
	facts = ready();
	facts.foreign_vifs = 1;
	EXPECT(nic_commit_guard(&facts) == NIC_GUARD_FOREIGN_VIF);
	facts = ready();
	facts.unconnected = 1;
	EXPECT(nic_commit_guard(&facts) == NIC_GUARD_NOT_CONNECTED);
	facts = ready();
	facts.busy = 1;
	EXPECT(nic_commit_guard(&facts) == NIC_GUARD_BUSY);
	facts = ready();
	facts.ambiguous = 1;
	EXPECT(nic_commit_guard(&facts) == NIC_GUARD_AMBIGUOUS);
	facts = ready();
	facts.returned = 1;
	EXPECT(nic_commit_guard(&facts) == NIC_GUARD_RETURNED);
	facts = ready();
	facts.foreign_nics = 1;
	EXPECT(nic_commit_guard(&facts) == NIC_GUARD_FOREIGN_NIC);
	facts = ready();
	facts.unmatched = 1;
	EXPECT(nic_commit_guard(&facts) == NIC_GUARD_UNMATCHED);
}

static void force_skips_other_nics_and_busy_twins_only(void)
{
	struct nic_commit facts = ready();

	facts.force = true;
	facts.foreign_nics = 1;
	facts.busy = 1;
	EXPECT(nic_commit_guard(&facts) == NIC_GUARD_NONE);
	facts.unconnected = 1;
	EXPECT(nic_commit_guard(&facts) == NIC_GUARD_NOT_CONNECTED);
}

/* Every combination of the guards: a commit only where none speaks. */
static void no_combination_slips_through(void)
{
	struct nic_commit facts;
	unsigned int bits;
	bool may;

	for (bits = 0; bits < 1u << 14; bits++) {
		facts = (struct nic_commit){
			.hvm = bits & 1,
			.kdump = bits & 2,
			.force = bits & 4,
			.again = bits & 8,
			.port = bits >> 4 & 3,
			.foreign_vifs = bits >> 6 & 1,
			.unconnected = bits >> 7 & 1,
			.busy = bits >> 8 & 1,
			.ambiguous = bits >> 9 & 1,
			.returned = bits >> 10 & 1,
			.withheld = bits >> 11 & 1,
			.foreign_nics = bits >> 12 & 1,
			.unmatched = bits >> 13 & 1,
		};
		may = facts.hvm && !facts.kdump && facts.port == NIC_PORT_OK &&
		      (facts.again || facts.withheld || facts.busy) &&
		      !facts.foreign_vifs && !facts.unconnected &&
		      !facts.ambiguous && !facts.returned && !facts.unmatched &&
		      (facts.force || (!facts.busy && !facts.foreign_nics));
		if (may == (nic_commit_guard(&facts) == NIC_GUARD_NONE))
			continue;
		printf("# combination %#x\n", bits);
		EXPECT(!"guards agree with the rule");
		return;
	}
}

/* A passing obstacle is said late, so it must not be one that never passes. */
static void passing_obstacles_are_those_of_a_vif_that_comes(void)
{
	unsigned int guard;

	for (guard = NIC_GUARD_NONE; guard < NIC_GUARDS; guard++)
		EXPECT(nic_guard_is_passing(guard) ==
		       (guard == NIC_GUARD_FOREIGN_VIF ||
			guard == NIC_GUARD_NOT_CONNECTED));
	for (guard = NIC_GUARD_NONE; guard < NIC_GUARDS; guard++)
		EXPECT(!nic_guard_is_passing(guard) ||
		       !nic_guard_is_final(guard));
}

const struct ktap_test commit_tests[] = {
	KTAP_TEST(each_guard_alone_forbids_the_commit),
	KTAP_TEST(force_skips_other_nics_and_busy_twins_only),
	KTAP_TEST(no_combination_slips_through),
	KTAP_TEST(passing_obstacles_are_those_of_a_vif_that_comes),
};

const unsigned int commit_tests_count = ARRAY_SIZE(commit_tests);
