// SPDX-License-Identifier: GPL-2.0
/* Received packets: what a backend may say of one, and what it may not. */
#include "ring_test.h"

static void packet_in_one_slot_is_taken(void)
{
	answer(0, 2, XEN_NETRXF_data_validated, 60);
	EXPECT(parse(1) == XNL_RX_GOOD);
	EXPECT(packet.nr_ring == 1 && packet.nr_data == 1 && packet.len == 60);
	EXPECT(packet.flags == XEN_NETRXF_data_validated);
	EXPECT(packet.slot[0].ring == 0 && packet.slot[0].offset == 2 &&
	       packet.slot[0].len == 60);
	EXPECT(packet.gso_type == XEN_NETIF_GSO_TYPE_NONE);
	EXPECT(!packet.hash_type && !packet.headroom && !packet.gso_size);
}

static void next_packet_is_left_alone(void)
{
	answer(0, 0, 0, 60);
	answer(1, 0, 0, 61);
	EXPECT(parse(2) == XNL_RX_GOOD);
	EXPECT(packet.nr_ring == 1 && packet.len == 60);
}

static void rx_id_is_never_trusted(void)
{
	struct xen_netif_rx_response *rsp = RING_GET_RESPONSE(&rx, INDEX_START);
	unsigned int id;

	for (id = 0; id <= 0xffff; id += 0x1111) {
		answer(0, 0, MORE, 100);
		answer(1, 0, 0, 100);
		rsp->id = id;
		EXPECT(parse(2) == XNL_RX_GOOD);
		EXPECT(packet.slot[0].ring == 0 && packet.slot[1].ring == 1);
	}
}

static void rx_len_cannot_leave_page(void)
{
	answer(0, 0, 0, XEN_PAGE_SIZE);
	EXPECT(parse(1) == XNL_RX_GOOD && packet.len == XEN_PAGE_SIZE);
	answer(0, 0, 0, XEN_PAGE_SIZE + 1);
	EXPECT(parse(1) == XNL_RX_BOUNDS);
	answer(0, 0, 0, INT16_MAX);
	EXPECT(parse(1) == XNL_RX_BOUNDS);
}

static void rx_offset_cannot_leave_page(void)
{
	answer(0, XEN_PAGE_SIZE - 60, 0, 60);
	EXPECT(parse(1) == XNL_RX_GOOD);
	answer(0, XEN_PAGE_SIZE - 59, 0, 60);
	EXPECT(parse(1) == XNL_RX_BOUNDS);
	answer(0, XEN_PAGE_SIZE, 0, 60);
	EXPECT(parse(1) == XNL_RX_BOUNDS);
	answer(0, UINT16_MAX, 0, 60);
	EXPECT(parse(1) == XNL_RX_BOUNDS);
}

static void rx_negative_status_is_bad(void)
{
	answer(0, 0, 0, XEN_NETIF_RSP_ERROR);
	EXPECT(parse(1) == XNL_RX_STATUS && packet.nr_ring == 1);
	answer(0, 0, 0, XEN_NETIF_RSP_DROPPED);
	EXPECT(parse(1) == XNL_RX_STATUS);
	answer(0, 0, 0, INT16_MIN);
	EXPECT(parse(1) == XNL_RX_STATUS);
	answer(0, 0, MORE, 100);
	answer(1, 0, 0, XEN_NETIF_RSP_ERROR);
	EXPECT(parse(2) == XNL_RX_STATUS && packet.nr_ring == 2);
}

static void zero_length_slot_is_bad(void)
{
	answer(0, 0, 0, 0);
	EXPECT(parse(1) == XNL_RX_BOUNDS);
	answer(0, 0, MORE, 100);
	answer(1, 0, MORE, 0);
	answer(2, 0, 0, 100);
	EXPECT(parse(3) == XNL_RX_BOUNDS && packet.nr_ring == 3);
}

static void packet_of_18_slots_is_taken(void)
{
	unsigned int i;

	for (i = 0; i < XNL_SLOTS_MAX; i++)
		answer(i, i, i + 1 < XNL_SLOTS_MAX ? MORE : 0, 1000 + i);
	EXPECT(parse(XNL_RING_SIZE) == XNL_RX_GOOD);
	EXPECT(packet.nr_ring == 18 && packet.nr_data == 18);
	EXPECT(packet.len == 18 * 1000 + 17 * 18 / 2);
	for (i = 0; i < XNL_SLOTS_MAX; i++)
		EXPECT(packet.slot[i].ring == i && packet.slot[i].offset == i &&
		       packet.slot[i].len == 1000 + i);
}

static void more_than_18_slots_is_bad(void)
{
	unsigned int i;

	for (i = 0; i < 19; i++)
		answer(i, 0, i < 18 ? MORE : 0, 100);
	EXPECT(parse(19) == XNL_RX_SLOTS);
	EXPECT(packet.nr_ring == 19 && packet.nr_data == 18);
}

static void packet_without_end_is_bounded_by_the_ring(void)
{
	unsigned int i;

	for (i = 0; i < XNL_RING_SIZE; i++)
		answer(i, 0, MORE, 100);
	EXPECT(parse(XNL_RING_SIZE) == XNL_RX_SLOTS);
	EXPECT(packet.nr_ring == XNL_RING_SIZE && packet.nr_data == 18);
}

static void more_than_65535_bytes_is_bad(void)
{
	unsigned int i;

	for (i = 0; i < 16; i++)
		answer(i, 0, i < 15 ? MORE : 0, i < 15 ? 4096 : 4095);
	EXPECT(parse(16) == XNL_RX_GOOD && packet.len == XNL_PACKET_MAX);
	answer(15, 0, 0, 4096);
	EXPECT(parse(16) == XNL_RX_SLOTS && packet.nr_ring == 16);
}

static void truncated_packet_is_bad(void)
{
	answer(0, 0, MORE, 100);
	answer(1, 0, 0, 100);
	EXPECT(parse(1) == XNL_RX_TRUNCATED && packet.nr_ring == 1);
	answer(1, 0, MORE, 100);
	answer(2, 0, 0, 100);
	EXPECT(parse(2) == XNL_RX_TRUNCATED && packet.nr_ring == 2);
	EXPECT(parse(3) == XNL_RX_GOOD && packet.nr_ring == 3);
}

static void short_packet_is_bad(void)
{
	answer(0, 0, 0, 14);
	EXPECT(parse(1) == XNL_RX_GOOD);
	answer(0, 0, 0, 13);
	EXPECT(parse(1) == XNL_RX_SHORT);
	answer(0, 0, MORE, 1);
	answer(1, 0, 0, 12);
	EXPECT(parse(2) == XNL_RX_SHORT && packet.nr_ring == 2);
	answer(1, 0, 0, 13);
	EXPECT(parse(2) == XNL_RX_GOOD && packet.len == 14);
}

static void gso_is_taken(void)
{
	answer(0, 0, EXTRA | MORE | XEN_NETRXF_csum_blank, 2000);
	answer_gso(1, 0, XEN_NETIF_GSO_TYPE_TCPV6, 1440);
	answer(2, 0, 0, 2000);
	EXPECT(parse(3) == XNL_RX_GOOD);
	EXPECT(packet.nr_ring == 3 && packet.nr_data == 2);
	EXPECT(packet.len == 4000);
	EXPECT(packet.gso_type == XEN_NETIF_GSO_TYPE_TCPV6);
	EXPECT(packet.gso_size == 1440);
	EXPECT(packet.slot[0].ring == 0 && packet.slot[1].ring == 2);
}

static void gso_size_zero_is_bad(void)
{
	answer(0, 0, EXTRA, 2000);
	answer_gso(1, 0, XEN_NETIF_GSO_TYPE_TCPV4, 0);
	EXPECT(parse(2) == XNL_RX_GSO && packet.nr_ring == 2);
	answer_gso(1, 0, XEN_NETIF_GSO_TYPE_TCPV4, 1);
	EXPECT(parse(2) == XNL_RX_GOOD);
}

static void gso_type_that_does_not_exist_is_bad(void)
{
	unsigned int type;

	answer(0, 0, EXTRA, 2000);
	for (type = 0; type <= 255; type++) {
		bool known = type == XEN_NETIF_GSO_TYPE_TCPV4 ||
			     type == XEN_NETIF_GSO_TYPE_TCPV6;

		answer_gso(1, 0, type, 1448);
		EXPECT(parse(2) == (known ? XNL_RX_GOOD : XNL_RX_GSO));
		EXPECT(packet.gso_type == (known ? type : 0));
	}
}

static void unknown_extra_is_bad(void)
{
	unsigned int type;

	answer(0, 0, EXTRA, 60);
	for (type = 0; type <= 255; type++) {
		bool known = type == XEN_NETIF_EXTRA_TYPE_GSO ||
			     type == XEN_NETIF_EXTRA_TYPE_HASH ||
			     type == XEN_NETIF_EXTRA_TYPE_XDP;

		answer_gso(1, 0, XEN_NETIF_GSO_TYPE_TCPV4, 40);
		if (type == XEN_NETIF_EXTRA_TYPE_XDP)
			answer_headroom(1, 0);
		((u8 *)RING_GET_RESPONSE(&rx, INDEX_START + 1))[0] = type;
		EXPECT(parse(2) == (known ? XNL_RX_GOOD : XNL_RX_EXTRA));
		EXPECT(packet.nr_ring == 2);
	}
}

static void extra_chain_is_bounded(void)
{
	unsigned int i;

	answer(0, 0, EXTRA, 60);
	for (i = 1; i < XNL_RING_SIZE; i++)
		answer_gso(i, XEN_NETIF_EXTRA_FLAG_MORE,
			   XEN_NETIF_GSO_TYPE_TCPV4, 40);
	for (i = 1; i <= XNL_RING_SIZE; i += 51) {
		EXPECT(parse(i) == XNL_RX_TRUNCATED);
		EXPECT(packet.nr_ring == i && packet.gso_type == (i > 1));
	}
}

static void extras_may_follow_each_other(void)
{
	answer(0, 0, EXTRA, 256 + 60);
	answer_gso(1, XEN_NETIF_EXTRA_FLAG_MORE, XEN_NETIF_GSO_TYPE_TCPV4, 40);
	answer_headroom(2, 256);
	EXPECT(parse(3) == XNL_RX_GOOD);
	EXPECT(packet.nr_ring == 3 && packet.len == 60);
	EXPECT(packet.gso_size == 40 && packet.headroom == 256);
}

static void hash_is_taken_and_unknown_hash_type_is_no_hash(void)
{
	const struct xen_netif_extra_info extra = {
		.type = XEN_NETIF_EXTRA_TYPE_HASH,
		.u.hash = {
			.type = _XEN_NETIF_CTRL_HASH_TYPE_IPV6_TCP,
			.value = { 1, 2, 3, 4 },
		},
	};
	struct xen_netif_extra_info unknown = extra;
	unsigned int type;

	answer(0, 0, EXTRA, 60);
	answer_extra(1, extra);
	EXPECT(parse(2) == XNL_RX_GOOD);
	EXPECT(packet.hash_type == _XEN_NETIF_CTRL_HASH_TYPE_IPV6_TCP + 1);
	EXPECT(!memcmp(&packet.hash, extra.u.hash.value, 4));
	for (type = _XEN_NETIF_CTRL_HASH_TYPE_IPV6_TCP + 1; type < 256;
	     type++) {
		unknown.u.hash.type = type;
		answer_extra(1, unknown);
		EXPECT(parse(2) == XNL_RX_GOOD && !packet.hash_type);
	}
}

static void headroom_counts_in_status(void)
{
	answer(0, 0, EXTRA | MORE, 256 + 1000);
	answer_headroom(1, 256);
	answer(2, 0, 0, 256 + 500);
	EXPECT(parse(3) == XNL_RX_GOOD);
	EXPECT(packet.len == 1500);
	EXPECT(packet.slot[0].offset == 256 && packet.slot[0].len == 1000);
	EXPECT(packet.slot[1].offset == 256 && packet.slot[1].len == 500);
}

static void headroom_cannot_leave_page(void)
{
	answer(0, 0, EXTRA, 4096);
	answer_headroom(1, XEN_PAGE_SIZE - 14);
	EXPECT(parse(2) == XNL_RX_GOOD && packet.len == 14);
	answer_headroom(1, XEN_PAGE_SIZE);
	EXPECT(parse(2) == XNL_RX_EXTRA);
	answer_headroom(1, UINT16_MAX);
	EXPECT(parse(2) == XNL_RX_EXTRA);
}

static void slot_shorter_than_its_headroom_is_bad(void)
{
	answer_headroom(1, 256);
	answer(0, 0, EXTRA, 256);
	EXPECT(parse(2) == XNL_RX_BOUNDS);
	answer(0, 0, EXTRA, 100);
	EXPECT(parse(2) == XNL_RX_BOUNDS);
}

static void offset_and_headroom_together_cannot_leave_page(void)
{
	answer_headroom(1, 256);
	answer(0, 4096 - 256 - 60, EXTRA, 256 + 60);
	EXPECT(parse(2) == XNL_RX_GOOD);
	answer(0, 4096 - 256 - 59, EXTRA, 256 + 60);
	EXPECT(parse(2) == XNL_RX_BOUNDS);
}

static void first_reason_is_kept(void)
{
	answer(0, 0, EXTRA | MORE, XEN_NETIF_RSP_ERROR);
	answer_gso(1, 0, XEN_NETIF_GSO_TYPE_TCPV4, 0);
	EXPECT(parse(2) == XNL_RX_GSO && packet.nr_ring == 2);
}

static void slot_after_a_bad_one_is_consumed_but_not_taken(void)
{
	answer(0, 0, MORE, XEN_NETIF_RSP_ERROR);
	answer(1, 0, 0, 60);
	EXPECT(parse(2) == XNL_RX_STATUS);
	EXPECT(packet.nr_ring == 2 && packet.nr_data == 0);
}

const struct ktap_test rx_tests[] = {
	KTAP_TEST(packet_in_one_slot_is_taken),
	KTAP_TEST(next_packet_is_left_alone),
	KTAP_TEST(rx_id_is_never_trusted),
	KTAP_TEST(rx_len_cannot_leave_page),
	KTAP_TEST(rx_offset_cannot_leave_page),
	KTAP_TEST(rx_negative_status_is_bad),
	KTAP_TEST(zero_length_slot_is_bad),
	KTAP_TEST(packet_of_18_slots_is_taken),
	KTAP_TEST(more_than_18_slots_is_bad),
	KTAP_TEST(packet_without_end_is_bounded_by_the_ring),
	KTAP_TEST(more_than_65535_bytes_is_bad),
	KTAP_TEST(truncated_packet_is_bad),
	KTAP_TEST(short_packet_is_bad),
	KTAP_TEST(gso_is_taken),
	KTAP_TEST(gso_size_zero_is_bad),
	KTAP_TEST(gso_type_that_does_not_exist_is_bad),
	KTAP_TEST(unknown_extra_is_bad),
	KTAP_TEST(extra_chain_is_bounded),
	KTAP_TEST(extras_may_follow_each_other),
	KTAP_TEST(hash_is_taken_and_unknown_hash_type_is_no_hash),
	KTAP_TEST(headroom_counts_in_status),
	KTAP_TEST(headroom_cannot_leave_page),
	KTAP_TEST(slot_shorter_than_its_headroom_is_bad),
	KTAP_TEST(offset_and_headroom_together_cannot_leave_page),
	KTAP_TEST(first_reason_is_kept),
	KTAP_TEST(slot_after_a_bad_one_is_consumed_but_not_taken),
};

const unsigned int rx_tests_count = ARRAY_SIZE(rx_tests);
