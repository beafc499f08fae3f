// SPDX-License-Identifier: GPL-2.0
/*
 * libFuzzer target: the input is what a backend writes. The first half of a
 * run is a receive ring, parsed packet by packet as NAPI does; the second half
 * is a row of transmit answers to packets that the target itself sent. What
 * the sanitizers do not see is checked with require().
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "../../ring.h"

static void require(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "does not hold: %s\n", what);
	abort();
}

static void check_packet(const struct xnl_rx_packet *pkt, unsigned int avail)
{
	unsigned int i, len = 0;

	require(pkt->nr_ring >= 1 && pkt->nr_ring <= avail, "ring slots");
	require(pkt->nr_data <= XNL_SLOTS_MAX, "data slots");
	require(pkt->nr_data <= pkt->nr_ring, "data slots are ring slots");
	for (i = 0; i < pkt->nr_data; i++) {
		require(pkt->slot[i].ring < pkt->nr_ring, "place on the ring");
		require(!i || pkt->slot[i].ring > pkt->slot[i - 1].ring,
			"each slot once");
		require(pkt->slot[i].len > 0, "length");
		require(pkt->slot[i].offset + pkt->slot[i].len <=
			(int)XEN_PAGE_SIZE, "bounds");
		len += pkt->slot[i].len;
	}
	require(len == pkt->len && len <= XNL_PACKET_MAX, "total length");
	if (pkt->bad != XNL_RX_GOOD)
		return;
	require(pkt->nr_data >= 1 && pkt->len >= ETH_HLEN, "good length");
	require(pkt->gso_type <= XEN_NETIF_GSO_TYPE_TCPV6, "GSO type");
	require(!pkt->gso_type || pkt->gso_size, "GSO size");
	require(pkt->headroom < XEN_PAGE_SIZE, "headroom");
}

static void fuzz_rx(const u8 *data, size_t size)
{
	const size_t slot = sizeof(union xen_netif_rx_sring_entry);
	struct xen_netif_rx_front_ring ring;
	struct xen_netif_rx_sring *page;
	enum xnl_fault fault = XNL_FAULT_NONE;
	struct xnl_rx_packet pkt;
	RING_IDX start, prod;
	unsigned int left, i;

	if (size < 8)
		return;
	memcpy(&start, data, 4);
	memcpy(&prod, data + 4, 4);
	data += 8;
	size -= 8;
	page = aligned_alloc(XEN_PAGE_SIZE, XEN_PAGE_SIZE);
	SHARED_RING_INIT(page);
	FRONT_RING_ATTACH(&ring, page, start, XEN_PAGE_SIZE);
	ring.req_prod_pvt = start + XNL_RING_SIZE;
	for (i = 0; i < XNL_RING_SIZE; i++)
		memset(RING_GET_RESPONSE(&ring, i), 0, slot);
	for (i = 0; i < size / slot && i < XNL_RING_SIZE; i++)
		memcpy(RING_GET_RESPONSE(&ring, start + i), data + i * slot,
		       slot);

	/* Mostly as many answers as there are, else what the input says. */
	if (prod & 1)
		prod = start + i;
	left = xnl_ring_responses(prod, start, ring.req_prod_pvt, &fault);
	require(left <= XNL_RING_SIZE, "answers");
	require(!fault || !left, "nothing is taken on a fault");
	while (left) {
		xnl_rx_parse(&ring, ring.rsp_cons, left, &pkt);
		check_packet(&pkt, left);
		ring.rsp_cons += pkt.nr_ring;
		left -= pkt.nr_ring;
	}
	free(page);
}

/* One byte of the input sends a packet, two answer an id. */
static void fuzz_tx(const u8 *data, size_t size)
{
	bool outstanding[XNL_RING_SIZE] = {};
	unsigned int count = 0, slots, i;
	static struct xnl_tx_ids ids;
	int head;
	u16 id;

	xnl_tx_ids_init(&ids);
	while (size--) {
		u8 order = *data++;

		if (order & 1) {
			slots = 1 + (order >> 1) % XNL_SLOTS_MAX;
			if (xnl_tx_ids_free(&ids) < slots)
				continue;
			for (i = 0, head = -1; i < slots; i++) {
				id = xnl_tx_id_take(&ids, XNL_TX_GRANTED, head);
				if (!i)
					head = id;
				require(!outstanding[id], "a taken id was free");
				require(xnl_tx_id_check(&ids, id) ==
					XNL_FAULT_IDLE, "not answerable yet");
				outstanding[id] = true;
				count++;
			}
			xnl_tx_ids_send(&ids);
			continue;
		}
		if (!size)
			return;
		size--;
		id = *data++ | (order & 2) << 7;
		if (xnl_tx_id_check(&ids, id))
			continue;
		require(id < XNL_RING_SIZE && outstanding[id], "answered id");
		outstanding[id] = false;
		count--;
		head = xnl_tx_id_answered(&ids, id);
		if (head < 0)
			continue;
		for (i = 0; i < XNL_RING_SIZE; i++)
			require(!outstanding[i] || ids.id[i].head != head,
				"a packet is done when all of it is");
		xnl_tx_id_free(&ids, head);
	}
	require(xnl_tx_ids_free(&ids) + count <= XNL_RING_SIZE, "free ids");
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	if (!size)
		return 0;
	if (*data & 1)
		fuzz_rx(data + 1, size - 1);
	else
		fuzz_tx(data + 1, size - 1);
	return 0;
}
