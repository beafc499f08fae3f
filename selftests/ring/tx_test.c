// SPDX-License-Identifier: GPL-2.0
/* Transmit ids: who may answer what, and when a packet is done. */
#include "ring_test.h"

static struct xnl_tx_ids ids;

static void fresh(void)
{
	memset(&ids, 0xa5, sizeof(ids));
	xnl_tx_ids_init(&ids);
}

/* Lays a packet on @slots slots; their ids go to @id, the first one first. */
static void lay(unsigned int slots, unsigned int *id)
{
	unsigned int i;

	for (i = 0; i < slots; i++)
		id[i] = xnl_tx_id_take(&ids, XNL_TX_GRANTED, i ? (int)id[0] : -1);
}

static void send(unsigned int slots, unsigned int *id)
{
	lay(slots, id);
	xnl_tx_ids_send(&ids);
}

#define PENDING -1

/* As tx.c does: the packet's first id once all is answered, else PENDING. */
static int complete(unsigned int id)
{
	int head;

	EXPECT(xnl_tx_id_check(&ids, id) == XNL_FAULT_NONE);
	head = xnl_tx_id_answered(&ids, id);
	if (head >= 0)
		xnl_tx_id_free(&ids, head);
	return head;
}

static void all_ids_are_free_at_first(void)
{
	bool seen[XNL_RING_SIZE] = {};
	unsigned int i, id;

	fresh();
	EXPECT(xnl_tx_ids_free(&ids) == XNL_RING_SIZE);
	for (i = 0; i < XNL_RING_SIZE; i++) {
		id = xnl_tx_id_take(&ids, XNL_TX_BOUNCED, -1);
		EXPECT(id < XNL_RING_SIZE && !seen[id]);
		seen[id % XNL_RING_SIZE] = true;
		EXPECT(xnl_tx_ids_free(&ids) == XNL_RING_SIZE - 1 - i);
	}
}

static void tx_id_out_of_range_is_refused(void)
{
	unsigned int id;

	fresh();
	send(1, &id);
	EXPECT(xnl_tx_id_check(&ids, XNL_RING_SIZE) == XNL_FAULT_ID);
	EXPECT(xnl_tx_id_check(&ids, XNL_RING_SIZE + id) == XNL_FAULT_ID);
	EXPECT(xnl_tx_id_check(&ids, 0xffff) == XNL_FAULT_ID);
	EXPECT(xnl_tx_id_check(&ids, id) == XNL_FAULT_NONE);
}

static void idle_tx_id_is_refused(void)
{
	unsigned int id, i;

	fresh();
	send(1, &id);
	for (i = 0; i < XNL_RING_SIZE; i++)
		if (i != id)
			EXPECT(xnl_tx_id_check(&ids, i) == XNL_FAULT_IDLE);
}

static void tx_id_of_an_unfinished_packet_is_refused(void)
{
	unsigned int id[3], i;

	fresh();
	lay(3, id);
	for (i = 0; i < 3; i++)
		EXPECT(xnl_tx_id_check(&ids, id[i]) == XNL_FAULT_IDLE);
	xnl_tx_ids_send(&ids);
	for (i = 0; i < 3; i++)
		EXPECT(xnl_tx_id_check(&ids, id[i]) == XNL_FAULT_NONE);
}

static void both_kinds_of_slot_may_be_answered(void)
{
	unsigned int id[2];

	fresh();
	id[0] = xnl_tx_id_take(&ids, XNL_TX_BOUNCED, -1);
	id[1] = xnl_tx_id_take(&ids, XNL_TX_GRANTED, id[0]);
	xnl_tx_ids_send(&ids);
	EXPECT(ids.id[id[0]].state == XNL_TX_BOUNCED);
	EXPECT(ids.id[id[1]].state == XNL_TX_GRANTED);
	EXPECT(complete(id[0]) == PENDING);
	EXPECT(complete(id[1]) == (int)id[0]);
}

static void repeated_answer_is_refused(void)
{
	unsigned int id[2], other;

	fresh();
	send(2, id);
	send(1, &other);
	EXPECT(complete(id[1]) == PENDING);
	EXPECT(xnl_tx_id_check(&ids, id[1]) == XNL_FAULT_IDLE);
	EXPECT(complete(other) == (int)other);
	EXPECT(xnl_tx_id_check(&ids, other) == XNL_FAULT_IDLE);
}

static void repeated_answer_to_a_waiting_head_is_refused(void)
{
	unsigned int id[2];

	fresh();
	send(2, id);
	EXPECT(complete(id[0]) == PENDING);
	EXPECT(xnl_tx_id_check(&ids, id[0]) == XNL_FAULT_IDLE);
	EXPECT(complete(id[1]) == (int)id[0]);
	EXPECT(xnl_tx_id_check(&ids, id[0]) == XNL_FAULT_IDLE);
}

/* The order in which @n slots are answered, as the digits of a number. */
static bool permutation(unsigned int number, unsigned int n,
			unsigned int *order)
{
	unsigned int seen = 0, i;

	for (i = 0; i < n; i++, number /= n) {
		order[i] = number % n;
		seen |= 1U << order[i];
	}
	return seen == (1U << n) - 1;
}

static void slots_answered_in_any_order_free_the_packet_once(void)
{
	unsigned int id[4], order[4], number, done, i;

	for (number = 0; number < 4 * 4 * 4 * 4; number++) {
		if (!permutation(number, 4, order))
			continue;
		fresh();
		send(4, id);
		for (i = 0, done = 0; i < 4; i++)
			done += complete(id[order[i]]) == (int)id[0];
		EXPECT(done == 1);
		EXPECT(xnl_tx_ids_free(&ids) == XNL_RING_SIZE);
	}
}

static void head_id_stays_until_packet_is_done(void)
{
	unsigned int id[3], i;

	fresh();
	send(3, id);
	EXPECT(complete(id[0]) == PENDING);
	EXPECT(complete(id[2]) == PENDING);
	EXPECT(xnl_tx_ids_free(&ids) == XNL_RING_SIZE - 2);
	for (i = 0; i < XNL_RING_SIZE - 2; i++)
		EXPECT(xnl_tx_id_take(&ids, XNL_TX_BOUNCED, -1) != id[0]);
	EXPECT(complete(id[1]) == (int)id[0]);
}

static void packets_do_not_touch_each_other(void)
{
	unsigned int a[2], b[2];

	fresh();
	send(2, a);
	send(2, b);
	EXPECT(complete(a[0]) == PENDING);
	EXPECT(complete(b[1]) == PENDING);
	EXPECT(complete(b[0]) == (int)b[0]);
	EXPECT(complete(a[1]) == (int)a[0]);
}

static void packet_of_18_slots_is_done_after_18_answers(void)
{
	unsigned int id[XNL_SLOTS_MAX], i;

	fresh();
	send(XNL_SLOTS_MAX, id);
	for (i = XNL_SLOTS_MAX - 1; i > 0; i--)
		EXPECT(complete(id[i]) == PENDING);
	EXPECT(complete(id[0]) == (int)id[0]);
}

static void ids_survive_the_wrap_of_their_counters(void)
{
	unsigned int id[XNL_RING_SIZE], round, i;

	fresh();
	ids.get = (u32)-300 & ~XNL_RING_MASK;
	ids.sent = ids.get;
	ids.put = ids.get + XNL_RING_SIZE;
	for (round = 0; round < 5; round++) {
		for (i = 0; i < XNL_RING_SIZE; i++)
			send(1, &id[i]);
		EXPECT(xnl_tx_ids_free(&ids) == 0);
		for (i = 0; i < XNL_RING_SIZE; i++)
			EXPECT(complete(id[i]) == (int)id[i]);
		EXPECT(xnl_tx_ids_free(&ids) == XNL_RING_SIZE);
	}
	EXPECT(ids.put < (1U << 16));
}

static void packet_laid_over_a_full_ring_is_sent_whole(void)
{
	unsigned int old[XNL_RING_SIZE - 2], id[2], i;

	fresh();
	send(ARRAY_SIZE(old) / 2, old);
	send(ARRAY_SIZE(old) / 2, old + ARRAY_SIZE(old) / 2);
	lay(2, id);
	EXPECT(xnl_tx_ids_free(&ids) == 0);
	for (i = 0; i < ARRAY_SIZE(old); i++)
		complete(old[i]);
	xnl_tx_ids_send(&ids);
	EXPECT(complete(id[1]) == PENDING);
	EXPECT(complete(id[0]) == (int)id[0]);
}

static void request_says_what_it_was_told(void)
{
	struct xen_netif_tx_request *req = RING_GET_REQUEST(&tx, INDEX_START);

	xnl_tx_request(&tx, 0x12345678, 0x9ab, 0x1000, XEN_NETTXF_more_data,
		       255);
	EXPECT(tx.req_prod_pvt == INDEX_START + 1);
	EXPECT(req->gref == 0x12345678 && req->offset == 0x9ab);
	EXPECT(req->size == 0x1000 && req->flags == XEN_NETTXF_more_data);
	EXPECT(req->id == 255);
}

static void gso_extra_leaks_nothing_of_the_slot_before(void)
{
	static const u8 wire[] = { XEN_NETIF_EXTRA_TYPE_GSO, 0, 0xb4, 0x05,
				   XEN_NETIF_GSO_TYPE_TCPV6, 0, 0, 0 };

	xnl_tx_extra_gso(&tx, XEN_NETIF_GSO_TYPE_TCPV6, 0x05b4);
	EXPECT(tx.req_prod_pvt == INDEX_START + 1);
	EXPECT(!memcmp(RING_GET_REQUEST(&tx, INDEX_START), wire, sizeof(wire)));
}

static void rx_request_carries_its_slot_number(void)
{
	unsigned int i;

	for (i = 0; i < 4; i++)
		xnl_rx_request(&rx, 100 + i);
	EXPECT(rx.req_prod_pvt == INDEX_START + 4);
	for (i = 0; i < 4; i++) {
		struct xen_netif_rx_request *req =
			RING_GET_REQUEST(&rx, INDEX_START + i);

		EXPECT(req->id == ((INDEX_START + i) & XNL_RING_MASK));
		EXPECT(req->gref == 100 + i && req->pad == 0);
	}
}

const struct ktap_test tx_tests[] = {
	KTAP_TEST(all_ids_are_free_at_first),
	KTAP_TEST(tx_id_out_of_range_is_refused),
	KTAP_TEST(idle_tx_id_is_refused),
	KTAP_TEST(tx_id_of_an_unfinished_packet_is_refused),
	KTAP_TEST(both_kinds_of_slot_may_be_answered),
	KTAP_TEST(repeated_answer_is_refused),
	KTAP_TEST(repeated_answer_to_a_waiting_head_is_refused),
	KTAP_TEST(slots_answered_in_any_order_free_the_packet_once),
	KTAP_TEST(head_id_stays_until_packet_is_done),
	KTAP_TEST(packets_do_not_touch_each_other),
	KTAP_TEST(packet_of_18_slots_is_done_after_18_answers),
	KTAP_TEST(ids_survive_the_wrap_of_their_counters),
	KTAP_TEST(packet_laid_over_a_full_ring_is_sent_whole),
	KTAP_TEST(request_says_what_it_was_told),
	KTAP_TEST(gso_extra_leaks_nothing_of_the_slot_before),
	KTAP_TEST(rx_request_carries_its_slot_number),
};

const unsigned int tx_tests_count = ARRAY_SIZE(tx_tests);
