/* SPDX-License-Identifier: GPL-2.0 */
/* What the tests of ring.h share: a page, a ring on it, and a backend's pen. */
#ifndef RING_TEST_H
#define RING_TEST_H

#include <stdlib.h>

#include "../../ring.h"
#include "ktap.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* Set by a test that cannot run here. */
extern const char *ktap_skipped;

extern const struct ktap_test producer_tests[];
extern const unsigned int producer_tests_count;
extern const struct ktap_test tx_tests[];
extern const unsigned int tx_tests_count;
extern const struct ktap_test rx_tests[];
extern const unsigned int rx_tests_count;
extern const struct ktap_test flow_tests[];
extern const unsigned int flow_tests_count;
extern const struct ktap_test once_tests[];
extern const unsigned int once_tests_count;

/* Near its end, so that every test of several slots also wraps the index. */
#define INDEX_START 0xfffffffeu

#define MORE XEN_NETRXF_more_data
#define EXTRA XEN_NETRXF_extra_info

extern struct xen_netif_rx_front_ring rx;
extern struct xen_netif_tx_front_ring tx;
extern struct xnl_rx_packet packet;

/* The backend writes an answer, @k slots after the packet's first. */
static inline void answer(unsigned int k, unsigned int offset,
			  unsigned int flags, int status)
{
	struct xen_netif_rx_response *rsp =
		RING_GET_RESPONSE(&rx, INDEX_START + k);

	*rsp = (struct xen_netif_rx_response){
		.id = 0xdead, .offset = offset, .flags = flags,
		.status = status,
	};
}

static inline void answer_extra(unsigned int k,
				struct xen_netif_extra_info extra)
{
	memcpy(RING_GET_RESPONSE(&rx, INDEX_START + k), &extra, sizeof(extra));
}

static inline void answer_gso(unsigned int k, unsigned int flags,
			      unsigned int type, unsigned int size)
{
	answer_extra(k, (struct xen_netif_extra_info){
		.type = XEN_NETIF_EXTRA_TYPE_GSO, .flags = flags,
		.u.gso = { .type = type, .size = size },
	});
}

static inline void answer_headroom(unsigned int k, unsigned int headroom)
{
	answer_extra(k, (struct xen_netif_extra_info){
		.type = XEN_NETIF_EXTRA_TYPE_XDP,
		.u.xdp.headroom = headroom,
	});
}

/* Parses what was answered; the buffer is dirty before, as it is in a poll. */
static inline enum xnl_rx_bad parse(unsigned int avail)
{
	memset(&packet, 0xa5, sizeof(packet));
	xnl_rx_parse(&rx, INDEX_START, avail, &packet);
	return packet.bad;
}

#endif /* RING_TEST_H */
