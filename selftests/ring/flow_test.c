// SPDX-License-Identifier: GPL-2.0
/* Which packets are of one UDP flow, and when GRO is passed by. */
#include "ring_test.h"
#include "../../rx_flow.h"

/* The defaults below are there to be overridden. */
#pragma GCC diagnostic ignored "-Woverride-init"

/* What changes between two packets; the defaults are a datagram of one flow. */
struct packet {
	unsigned int version, ihl, proto, frag, len;
	uint16_t from_port, to_port;
	u8 from, to;		/* last byte of the addresses */
};

#define V4(...) read_v4((struct packet){ .version = 4, .ihl = 5, .proto = 17, \
	.len = 60, .from_port = 1, .to_port = 2, .from = 3, .to = 4, __VA_ARGS__ })
#define V6(...) read_v6((struct packet){ .proto = 17, .len = 60, \
	.from_port = 1, .to_port = 2, .from = 3, .to = 4, __VA_ARGS__ })

/* From memory of just that size: what is read beyond, the sanitizer sees. */
static struct xnl_flow read_exact(const u8 *bytes, unsigned int len, u16 type)
{
	u8 *exact = malloc(len ? len : 1);
	struct xnl_flow flow;

	if (!exact)
		abort();
	memset(&flow, 0xa5, sizeof(flow));
	memcpy(exact, bytes, len);
	xnl_flow_read(&flow, htons(type), exact, len);
	free(exact);
	return flow;
}

static void put_ports(u8 *at, const struct packet *p)
{
	u16 ports[] = { htons(p->from_port), htons(p->to_port) };

	memcpy(at, ports, sizeof(ports));
}

static struct xnl_flow read_v4(struct packet p)
{
	u8 bytes[64] = {};

	bytes[0] = p.version << 4 | p.ihl;
	bytes[6] = p.frag >> 8;
	bytes[7] = p.frag;
	bytes[9] = p.proto;
	bytes[15] = p.from;
	bytes[19] = p.to;
	put_ports(bytes + 20, &p);
	return read_exact(bytes, p.len, ETH_P_IP);
}

static struct xnl_flow read_v6(struct packet p)
{
	u8 bytes[64] = { 0x60 };

	bytes[6] = p.proto;
	bytes[23] = p.from;
	bytes[39] = p.to;
	put_ports(bytes + 40, &p);
	return read_exact(bytes, p.len, ETH_P_IPV6);
}

static bool same(struct xnl_flow a, struct xnl_flow b)
{
	EXPECT(xnl_flow_same(&a, &b) == xnl_flow_same(&b, &a));
	return xnl_flow_same(&a, &b);
}

static void datagrams_of_one_flow_are_the_same(void)
{
	EXPECT(same(V4(), V4()));
	EXPECT(same(V6(), V6()));
	EXPECT(same(V4(), V4(.frag = 0x4000)));
	EXPECT(same(V4(), V4(.len = 24)));
	EXPECT(same(V6(), V6(.len = 44)));
}

static void another_address_or_port_is_another_flow(void)
{
	EXPECT(!same(V4(), V4(.from = 9)));
	EXPECT(!same(V4(), V4(.to = 9)));
	EXPECT(!same(V4(), V4(.from_port = 9)));
	EXPECT(!same(V4(), V4(.to_port = 9)));
	EXPECT(!same(V6(), V6(.from = 9)));
	EXPECT(!same(V6(), V6(.to = 9)));
	EXPECT(!same(V6(), V6(.from_port = 9)));
	EXPECT(!same(V6(), V6(.to_port = 9)));
	EXPECT(!same(V4(), V6()));
}

static void what_is_no_datagram_is_of_no_flow(void)
{
	u8 arp[64] = { 0x45, [9] = 17 };

	EXPECT(!V4(.proto = 6).protocol);
	EXPECT(!V6(.proto = 6).protocol);
	EXPECT(!V4(.version = 6).protocol);
	EXPECT(!V4(.ihl = 6).protocol);
	EXPECT(!read_exact(arp, 60, ETH_P_ARP).protocol);
	EXPECT(!same(V4(.proto = 6), V4(.proto = 6)));
}

static void fragments_are_of_no_flow(void)
{
	EXPECT(!V4(.frag = 0x2000).protocol);
	EXPECT(!V4(.frag = 0x2001).protocol);
	EXPECT(!V4(.frag = 1).protocol);
	EXPECT(!V6(.proto = 44).protocol);
}

static void a_short_packet_is_not_read_beyond_its_end(void)
{
	unsigned int len;

	for (len = 0; len < 24; len++)
		EXPECT(!V4(.len = len).protocol);
	for (len = 0; len < 44; len++)
		EXPECT(!V6(.len = len).protocol);
}

static void refused(struct xnl_gro *gro, struct xnl_flow flow, unsigned int polls)
{
	while (polls--)
		xnl_gro_learn(gro, &flow, true);
}

static bool useless(const struct xnl_gro *gro, struct xnl_flow flow)
{
	return xnl_gro_useless(gro, &flow);
}

static void gro_is_passed_by_after_some_refusals(void)
{
	struct xnl_gro gro = {};

	EXPECT(!useless(&gro, V4()));
	refused(&gro, V4(), XNL_GRO_REFUSALS - 1);
	EXPECT(!useless(&gro, V4()));
	refused(&gro, V4(), 1);
	EXPECT(useless(&gro, V4()));
	refused(&gro, V4(), 1000);
	EXPECT(useless(&gro, V4()));
}

static void only_the_refused_flow_passes_gro_by(void)
{
	struct xnl_gro gro = {};

	refused(&gro, V4(), XNL_GRO_REFUSALS);
	EXPECT(!useless(&gro, V4(.to_port = 9)));
	EXPECT(!useless(&gro, V6()));
	EXPECT(!useless(&gro, V4(.proto = 6)));
}

static void one_use_is_enough_for_gro(void)
{
	struct xnl_gro gro = {};
	struct xnl_flow flow = V4();

	refused(&gro, flow, 1000);
	xnl_gro_learn(&gro, &flow, false);
	EXPECT(!useless(&gro, flow));
	refused(&gro, flow, XNL_GRO_REFUSALS - 1);
	EXPECT(!useless(&gro, flow));
}

static void refusals_count_in_a_row_of_one_flow(void)
{
	struct xnl_gro gro = {};

	refused(&gro, V4(), XNL_GRO_REFUSALS - 1);
	refused(&gro, V4(.to = 9), 1);
	refused(&gro, V4(), 1);
	EXPECT(!useless(&gro, V4()) && !useless(&gro, V4(.to = 9)));
	refused(&gro, V4(), XNL_GRO_REFUSALS - 1);
	EXPECT(useless(&gro, V4()));
}

static void what_is_of_no_flow_always_goes_to_gro(void)
{
	struct xnl_gro gro = {};

	refused(&gro, V4(.proto = 6), 1000);
	EXPECT(!useless(&gro, V4(.proto = 6)));
	EXPECT(!useless(&gro, V4()));
}

static void what_is_forgotten_is_learnt_anew(void)
{
	struct xnl_gro gro = {};

	refused(&gro, V4(), 1000);
	xnl_gro_forget(&gro);
	EXPECT(!useless(&gro, V4()));
	refused(&gro, V4(), XNL_GRO_REFUSALS - 1);
	EXPECT(!useless(&gro, V4()));
	refused(&gro, V4(), 1);
	EXPECT(useless(&gro, V4()));
}

const struct ktap_test flow_tests[] = {
	KTAP_TEST(datagrams_of_one_flow_are_the_same),
	KTAP_TEST(another_address_or_port_is_another_flow),
	KTAP_TEST(what_is_no_datagram_is_of_no_flow),
	KTAP_TEST(fragments_are_of_no_flow),
	KTAP_TEST(a_short_packet_is_not_read_beyond_its_end),
	KTAP_TEST(gro_is_passed_by_after_some_refusals),
	KTAP_TEST(only_the_refused_flow_passes_gro_by),
	KTAP_TEST(one_use_is_enough_for_gro),
	KTAP_TEST(refusals_count_in_a_row_of_one_flow),
	KTAP_TEST(what_is_of_no_flow_always_goes_to_gro),
	KTAP_TEST(what_is_forgotten_is_learnt_anew),
};

const unsigned int flow_tests_count = ARRAY_SIZE(flow_tests);
