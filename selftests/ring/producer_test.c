// SPDX-License-Identifier: GPL-2.0
/* The backend's producer index: how many answers there can be. */
#include "ring_test.h"

static unsigned int responses(RING_IDX rsp_prod, RING_IDX rsp_cons,
			      RING_IDX req_prod, enum xnl_fault *fault)
{
	*fault = XNL_FAULT_NONE;
	return xnl_ring_responses(rsp_prod, rsp_cons, req_prod, fault);
}

static void ring_has_256_slots(void)
{
	EXPECT(RING_SIZE(&rx) == XNL_RING_SIZE);
	EXPECT(RING_SIZE(&tx) == XNL_RING_SIZE);
}

static void answers_are_what_the_producer_says(void)
{
	enum xnl_fault fault;

	EXPECT(responses(10, 10, 20, &fault) == 0 && !fault);
	EXPECT(responses(13, 10, 20, &fault) == 3 && !fault);
	EXPECT(responses(20, 10, 20, &fault) == 10 && !fault);
}

static void rsp_prod_cannot_run_ahead(void)
{
	enum xnl_fault fault;

	EXPECT(responses(21, 10, 20, &fault) == 0);
	EXPECT(fault == XNL_FAULT_PRODUCER);
	/* Fewer than a whole ring, and still more than was asked. */
	EXPECT(responses(1, 0, 0, &fault) == 0);
	EXPECT(fault == XNL_FAULT_PRODUCER);
	EXPECT(responses(10 + XNL_RING_SIZE + 1, 10, 10 + XNL_RING_SIZE,
			 &fault) == 0);
	EXPECT(fault == XNL_FAULT_PRODUCER);
}

static void rsp_prod_cannot_run_backwards(void)
{
	enum xnl_fault fault;

	EXPECT(responses(9, 10, 20, &fault) == 0);
	EXPECT(fault == XNL_FAULT_PRODUCER);
	EXPECT(responses(10 - XNL_RING_SIZE, 10, 20, &fault) == 0);
	EXPECT(fault == XNL_FAULT_PRODUCER);
	EXPECT(responses(10 + 0x80000000u, 10, 20, &fault) == 0);
	EXPECT(fault == XNL_FAULT_PRODUCER);
}

static void full_ring_may_be_answered_whole(void)
{
	enum xnl_fault fault;

	EXPECT(responses(XNL_RING_SIZE, 0, XNL_RING_SIZE, &fault) ==
	       XNL_RING_SIZE && !fault);
}

static void indices_wrap_at_32_bits(void)
{
	const RING_IDX last = (RING_IDX)-1;
	enum xnl_fault fault;

	EXPECT(responses(2, last - 1, 5, &fault) == 4 && !fault);
	EXPECT(responses(last, last - 1, 5, &fault) == 1 && !fault);
	EXPECT(responses(6, last - 1, 5, &fault) == 0);
	EXPECT(fault == XNL_FAULT_PRODUCER);
	EXPECT(responses(last - 2, last - 1, 5, &fault) == 0);
	EXPECT(fault == XNL_FAULT_PRODUCER);
}

static void every_fault_has_a_name(void)
{
	enum xnl_fault fault;

	for (fault = XNL_FAULT_NONE; fault <= XNL_FAULT_GRANT; fault++)
		EXPECT(strcmp(xnl_fault_name(fault), "unknown fault"));
}

const struct ktap_test producer_tests[] = {
	KTAP_TEST(ring_has_256_slots),
	KTAP_TEST(answers_are_what_the_producer_says),
	KTAP_TEST(rsp_prod_cannot_run_ahead),
	KTAP_TEST(rsp_prod_cannot_run_backwards),
	KTAP_TEST(full_ring_may_be_answered_whole),
	KTAP_TEST(indices_wrap_at_32_bits),
	KTAP_TEST(every_fault_has_a_name),
};

const unsigned int producer_tests_count = ARRAY_SIZE(producer_tests);
