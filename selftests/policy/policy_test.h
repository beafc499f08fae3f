/* SPDX-License-Identifier: GPL-2.0 */
/* What the policy's tests share: ready-made records and one-line questions. */
#ifndef POLICY_TEST_H
#define POLICY_TEST_H

#include "ktap.h"
#include "nic_events.h"

extern const struct ktap_test event_tests[];
extern const unsigned int event_tests_count;
extern const struct ktap_test change_tests[];
extern const unsigned int change_tests_count;
extern const struct ktap_test match_tests[];
extern const unsigned int match_tests_count;
extern const struct ktap_test commit_tests[];
extern const unsigned int commit_tests_count;
extern const struct ktap_test walk_tests[];
extern const unsigned int walk_tests_count;

#define TEST_MAC { 0x00, 0x16, 0x3e, 0x01, 0x02, 0x03 }

static inline struct nic_vif vif_with(u8 link, u8 twin)
{
	return (struct nic_vif){
		.mac = TEST_MAC,
		.mac_ok = true,
		.type = NIC_TYPE_IOEMU,
		.link = link,
		.twin = twin,
	};
}

/* Most tests ask with the timer on and nothing else special. */
static inline struct nic_verdict ask(u8 policy, const struct nic_vif *vif,
				     u8 event)
{
	return nic_decide(policy, vif, event, NIC_IF_TIMED);
}

#endif /* POLICY_TEST_H */
