// SPDX-License-Identifier: GPL-2.0
/* Runs every test of the NIC policy and reports in KTAP. */
#include "policy_test.h"

bool ktap_failed;

static const struct {
	const struct ktap_test *tests;
	const unsigned int *count;
} suites[] = {
	{ event_tests, &event_tests_count },
	{ change_tests, &change_tests_count },
	{ match_tests, &match_tests_count },
	{ commit_tests, &commit_tests_count },
	{ walk_tests, &walk_tests_count },
};

int main(void)
{
	unsigned int total = 0, number = 0, failures = 0, i, k;

	for (i = 0; i < ARRAY_SIZE(suites); i++)
		total += *suites[i].count;
	printf("TAP version 13\n1..%u\n", total);

	for (i = 0; i < ARRAY_SIZE(suites); i++) {
		for (k = 0; k < *suites[i].count; k++) {
			ktap_failed = false;
			suites[i].tests[k].run();
			failures += ktap_failed;
			printf("%sok %u %s\n", ktap_failed ? "not " : "",
			       ++number, suites[i].tests[k].name);
		}
	}
	printf("# Totals: pass:%u fail:%u xfail:0 xpass:0 skip:0 error:0\n",
	       total - failures, failures);
	return failures ? 1 : 0;
}
