// SPDX-License-Identifier: GPL-2.0
/* Runs every test of ring.h and rx_flow.h, each on fresh rings, and reports in KTAP. */
#include "ring_test.h"

bool ktap_failed;
const char *ktap_skipped;

struct xen_netif_rx_front_ring rx;
struct xen_netif_tx_front_ring tx;
struct xnl_rx_packet packet;

static const struct {
	const struct ktap_test *tests;
	const unsigned int *count;
} suites[] = {
	{ producer_tests, &producer_tests_count },
	{ tx_tests, &tx_tests_count },
	{ rx_tests, &rx_tests_count },
	{ flow_tests, &flow_tests_count },
	{ once_tests, &once_tests_count },
};

/* A page of its own for each ring: what leaves it, the sanitizer sees. */
static void run(const struct ktap_test *test)
{
	struct xen_netif_rx_sring *rx_page;
	struct xen_netif_tx_sring *tx_page;

	rx_page = aligned_alloc(XEN_PAGE_SIZE, XEN_PAGE_SIZE);
	tx_page = aligned_alloc(XEN_PAGE_SIZE, XEN_PAGE_SIZE);
	if (!rx_page || !tx_page)
		abort();
	memset(rx_page, 0xff, XEN_PAGE_SIZE);
	memset(tx_page, 0xff, XEN_PAGE_SIZE);
	SHARED_RING_INIT(rx_page);
	SHARED_RING_INIT(tx_page);
	FRONT_RING_ATTACH(&rx, rx_page, INDEX_START, XEN_PAGE_SIZE);
	FRONT_RING_ATTACH(&tx, tx_page, INDEX_START, XEN_PAGE_SIZE);
	test->run();
	free(rx_page);
	free(tx_page);
}

int main(void)
{
	unsigned int total = 0, number = 0, failures = 0, skipped = 0, i, k;

	for (i = 0; i < ARRAY_SIZE(suites); i++)
		total += *suites[i].count;
	printf("TAP version 13\n# ring.h on " RING_HEADERS "\n1..%u\n", total);

	for (i = 0; i < ARRAY_SIZE(suites); i++) {
		for (k = 0; k < *suites[i].count; k++) {
			ktap_failed = false;
			ktap_skipped = NULL;
			run(&suites[i].tests[k]);
			failures += ktap_failed;
			skipped += !!ktap_skipped;
			printf("%sok %u %s%s%s\n", ktap_failed ? "not " : "",
			       ++number, suites[i].tests[k].name,
			       ktap_skipped ? " # SKIP " : "",
			       ktap_skipped ? ktap_skipped : "");
			fflush(stdout);
		}
	}
	printf("# Totals: pass:%u fail:%u xfail:0 xpass:0 skip:%u error:0\n",
	       total - failures - skipped, failures, skipped);
	return failures ? 1 : 0;
}
