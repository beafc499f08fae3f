/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The netif wire protocol as pure functions: building requests, checking and
 * consuming responses and extra infos, the transmit ids. Everything here works
 * on the two shared rings and on private state handed in by the caller; it
 * knows no skb, no grant table, no netdev, and builds in user space, where
 * selftests/ring defends each rule under sanitizers.
 *
 * A backend may be hostile. Hence: each word of a shared page is read once,
 * into a private copy; requests are never read back; nothing is believed
 * before it was checked.
 *
 * Context: any. The caller serialises: one producer (the transmit queue's
 * lock, or NAPI for receive) and one consumer (NAPI) for each ring.
 */
#ifndef XNL_RING_H
#define XNL_RING_H

#ifdef __KERNEL__
#include <linux/build_bug.h>
#include <linux/string.h>
#include <xen/page.h>
#include <xen/interface/io/netif.h>
#else
#include "ring_user.h"
#endif

/* netif.h: a ring is one page, which makes 256 slots for either direction. */
#define XNL_RING_SIZE		256
#define XNL_RING_MASK		(XNL_RING_SIZE - 1)
/* netif.h: every backend takes packets of 18 slots; no more is promised. */
#define XNL_SLOTS_MAX		XEN_NETIF_NR_SLOTS_MIN
#define XNL_PACKET_MAX		65535

static_assert(sizeof(struct xen_netif_tx_request) == 12);
static_assert(sizeof(struct xen_netif_tx_response) == 4);
static_assert(sizeof(struct xen_netif_rx_request) == 8);
static_assert(sizeof(struct xen_netif_rx_response) == 8);
static_assert(sizeof(struct xen_netif_extra_info) == 8);

/**
 * enum xnl_fault - what a backend did that it may not
 *
 * @XNL_FAULT_PRODUCER: its producer index ran ahead of our requests, or back
 * @XNL_FAULT_ID: it answered a transmit id that does not exist
 * @XNL_FAULT_IDLE: it answered a transmit id that was not outstanding
 * @XNL_FAULT_GRANT: it answered but still holds the page mapped
 *
 * Each of these breaks the queue. A bad packet is no fault: it is dropped
 * and counted (see &struct xnl_rx_packet, bad).
 */
enum xnl_fault {
	XNL_FAULT_NONE,
	XNL_FAULT_PRODUCER,
	XNL_FAULT_ID,
	XNL_FAULT_IDLE,
	XNL_FAULT_GRANT,
};

static inline const char *xnl_fault_name(enum xnl_fault fault)
{
	switch (fault) {
	case XNL_FAULT_NONE:
		return "no fault";
	case XNL_FAULT_PRODUCER:
		return "its response producer is out of range";
	case XNL_FAULT_ID:
		return "it answered an unknown transmit id";
	case XNL_FAULT_IDLE:
		return "it answered a transmit id that was not outstanding";
	case XNL_FAULT_GRANT:
		return "it keeps a page mapped that it has answered";
	}
	return "unknown fault";
}

/**
 * xnl_ring_responses - how many responses wait, from one read of the producer
 * @rsp_prod: the shared producer index, read once by the caller
 * @rsp_cons: our private consumer index
 * @req_prod: our private producer index
 * @fault: set to XNL_FAULT_PRODUCER when @rsp_prod claims more than is
 *         outstanding, or has run backwards; untouched otherwise
 *
 * A backend cannot have answered more than we asked (ring.h's
 * RING_RESPONSE_PROD_OVERFLOW allows a whole ring; outstanding is tighter).
 *
 * Return: 0 to XNL_RING_SIZE; 0 on a fault.
 */
static inline unsigned int xnl_ring_responses(RING_IDX rsp_prod,
					      RING_IDX rsp_cons,
					      RING_IDX req_prod,
					      enum xnl_fault *fault)
{
	RING_IDX waiting = rsp_prod - rsp_cons;

	if (waiting > (RING_IDX)(req_prod - rsp_cons)) {
		*fault = XNL_FAULT_PRODUCER;
		return 0;
	}
	return waiting;
}

/* Transmit ids */

/**
 * enum xnl_tx_state - what stands behind a transmit id
 * @XNL_TX_FREE: nothing; an answer to it is a lie
 * @XNL_TX_BOUNCED: data copied into a page that stays granted
 * @XNL_TX_GRANTED: a page granted for this request alone
 * @XNL_TX_ANSWERED: the head of a packet that still waits for other slots
 */
enum xnl_tx_state {
	XNL_TX_FREE,
	XNL_TX_BOUNCED,
	XNL_TX_GRANTED,
	XNL_TX_ANSWERED,
};

/**
 * struct xnl_tx_ids - the transmit ids of one ring
 * @get: next free id to take; the sender's
 * @sent: ids before this one belong to whole packets; the sender's
 * @put: where the next freed id goes; the completer's
 * @fifo: the free ids, from @get to @put
 * @id: per id, its state, the state it gets with xnl_tx_ids_send(), the id of
 *      its packet's first slot, and, there, how many of the packet's slots are
 *      not answered yet
 *
 * A first-in first-out queue, so that sender and completer need no lock: an id
 * belongs to the sender from xnl_tx_id_take() until xnl_tx_ids_send(), and to
 * the completer from then until xnl_tx_id_free(). A backend can guess the next
 * ids and answer them while their packet is still being laid on slots, which
 * is why an id taken but not sent counts as free.
 */
struct xnl_tx_ids {
	u32 get;
	u32 sent;
	u32 put ____cacheline_aligned;
	struct {
		u8 state;
		u8 taken;
		u8 pending;
		u8 head;
	} id[XNL_RING_SIZE];
	u8 fifo[XNL_RING_SIZE];
};

static inline void xnl_tx_ids_init(struct xnl_tx_ids *ids)
{
	unsigned int i;

	memset(ids, 0, sizeof(*ids));
	for (i = 0; i < XNL_RING_SIZE; i++)
		ids->fifo[i] = i;
	ids->put = XNL_RING_SIZE;
}

/* Free ids as the sender sees them: never more than there are. */
static inline unsigned int xnl_tx_ids_free(const struct xnl_tx_ids *ids)
{
	/* Pairs with xnl_tx_id_free(): the ids are read after their number. */
	return smp_load_acquire(&ids->put) - ids->get;
}

/**
 * xnl_tx_id_take - take a free id for one slot of a packet
 * @ids: the ids; at least one must be free (xnl_tx_ids_free())
 * @state: XNL_TX_BOUNCED or XNL_TX_GRANTED
 * @head: the id of the packet's first slot, or -1 for the first slot itself
 *
 * Return: the id, 0 to XNL_RING_SIZE - 1.
 */
static inline unsigned int xnl_tx_id_take(struct xnl_tx_ids *ids,
					  enum xnl_tx_state state, int head)
{
	unsigned int id = ids->fifo[ids->get++ & XNL_RING_MASK];

	if (head < 0) {
		head = id;
		ids->id[id].pending = 0;
	}
	ids->id[id].taken = state;
	ids->id[id].head = head;
	ids->id[head].pending++;
	return id;
}

/**
 * xnl_tx_ids_send - from now on the ids taken may be answered
 * @ids: the ids
 *
 * To be called once the packet is whole and all that the completer needs is in
 * place, before its requests are pushed.
 */
static inline void xnl_tx_ids_send(struct xnl_tx_ids *ids)
{
	unsigned int id;

	for (; ids->sent != ids->get; ids->sent++) {
		id = ids->fifo[ids->sent & XNL_RING_MASK];
		/* Pairs with xnl_tx_id_check(). */
		smp_store_release(&ids->id[id].state, ids->id[id].taken);
	}
}

static inline void xnl_tx_id_free(struct xnl_tx_ids *ids, unsigned int id)
{
	ids->id[id].state = XNL_TX_FREE;
	ids->fifo[ids->put & XNL_RING_MASK] = id;
	/* The sender sees the id's state before it sees the id. */
	smp_store_release(&ids->put, ids->put + 1);
}

/**
 * xnl_tx_id_check - may this id be answered?
 * @ids: the ids
 * @id: as found in a private copy of the response
 *
 * Return: XNL_FAULT_NONE, XNL_FAULT_ID or XNL_FAULT_IDLE.
 */
static inline enum xnl_fault xnl_tx_id_check(const struct xnl_tx_ids *ids,
					     unsigned int id)
{
	u8 state;

	if (id >= XNL_RING_SIZE)
		return XNL_FAULT_ID;
	/* Pairs with xnl_tx_ids_send(): the packet is whole. */
	state = smp_load_acquire(&ids->id[id].state);
	if (state != XNL_TX_BOUNCED && state != XNL_TX_GRANTED)
		return XNL_FAULT_IDLE;
	return XNL_FAULT_NONE;
}

/**
 * xnl_tx_id_answered - one slot was answered; is its packet done?
 * @ids: the ids
 * @id: an id that xnl_tx_id_check() passed and whose grant has ended
 *
 * Slots may be answered in any order. The first slot's id is kept until the
 * whole packet is answered, because the packet's skb hangs on it.
 *
 * Return: the id of the packet's first slot when all its slots are answered;
 * the caller frees the skb and then that id. Otherwise -1.
 */
static inline int xnl_tx_id_answered(struct xnl_tx_ids *ids, unsigned int id)
{
	unsigned int head = ids->id[id].head;

	ids->id[id].state = XNL_TX_ANSWERED;
	if (id != head)
		xnl_tx_id_free(ids, id);
	return --ids->id[head].pending ? -1 : (int)head;
}

/* Transmit requests */

/* Returns the request, whose flags may be written once more, and nothing read. */
static inline struct xen_netif_tx_request *
xnl_tx_request(struct xen_netif_tx_front_ring *ring, grant_ref_t gref,
	       u16 offset, u16 size, u16 flags, u16 id)
{
	struct xen_netif_tx_request *req;

	req = RING_GET_REQUEST(ring, ring->req_prod_pvt++);
	*req = (struct xen_netif_tx_request){
		.gref = gref,
		.offset = offset,
		.flags = flags,
		.id = id,
		.size = size,
	};
	return req;
}

/**
 * xnl_tx_extra_gso - write the GSO extra info that follows the first request
 * @ring: the transmit ring
 * @type: XEN_NETIF_GSO_TYPE_TCPV4 or _TCPV6
 * @size: bytes of payload per segment, not 0
 */
static inline void xnl_tx_extra_gso(struct xen_netif_tx_front_ring *ring,
				    u8 type, u16 size)
{
	struct xen_netif_extra_info *extra;

	extra = (void *)RING_GET_REQUEST(ring, ring->req_prod_pvt++);
	*extra = (struct xen_netif_extra_info){
		.type = XEN_NETIF_EXTRA_TYPE_GSO,
		.u.gso.type = type,
		.u.gso.size = size,
	};
}

/* Receive responses */

/**
 * enum xnl_rx_bad - why a received packet was dropped
 * @XNL_RX_STATUS: the backend reported an error in a status field
 * @XNL_RX_BOUNDS: offset or length leaves the page, or the slot is empty
 * @XNL_RX_SLOTS: more slots than any packet may have, or too many bytes
 * @XNL_RX_TRUNCATED: more slots were announced than were pushed
 * @XNL_RX_EXTRA: an extra info of unknown type
 * @XNL_RX_GSO: a GSO type or size that does not exist
 * @XNL_RX_SHORT: shorter than an Ethernet header
 */
enum xnl_rx_bad {
	XNL_RX_GOOD,
	XNL_RX_STATUS,
	XNL_RX_BOUNDS,
	XNL_RX_SLOTS,
	XNL_RX_TRUNCATED,
	XNL_RX_EXTRA,
	XNL_RX_GSO,
	XNL_RX_SHORT,
};

/**
 * struct xnl_rx_packet - one received packet, parsed from private copies
 * @bad: XNL_RX_GOOD, or why it has to be dropped; the counts below hold for a
 *       bad packet too, so that its buffers can be posted again
 * @nr_ring: ring slots it took, extra infos included (at least 1)
 * @nr_data: data slots among them, 0 to XNL_SLOTS_MAX entries of @slot
 * @flags: XEN_NETRXF_* of the first slot
 * @gso_type: XEN_NETIF_GSO_TYPE_*, NONE without GSO
 * @gso_size: bytes per segment, not 0 where @gso_type is not NONE
 * @hash_type: _XEN_NETIF_CTRL_HASH_TYPE_* plus 1, 0 without a hash
 * @hash: the hash value
 * @headroom: bytes before the data in each slot, as the backend said
 * @len: total bytes of data, at least 14 for a good packet
 * @slot: per data slot, its distance from the packet's first ring slot, and
 *        the data's place in its page: offset + len <= XEN_PAGE_SIZE, len > 0
 */
struct xnl_rx_packet {
	enum xnl_rx_bad bad;
	unsigned int nr_ring;
	unsigned int nr_data;
	unsigned int len;
	u16 flags;
	u16 gso_size;
	u16 headroom;
	u8 gso_type;
	u8 hash_type;
	u32 hash;
	struct {
		u16 ring;
		u16 offset;
		u16 len;
	} slot[XNL_SLOTS_MAX];
};

static inline void xnl_rx_bad(struct xnl_rx_packet *pkt, enum xnl_rx_bad bad)
{
	if (pkt->bad == XNL_RX_GOOD)
		pkt->bad = bad;
}

static inline void xnl_rx_extra(struct xnl_rx_packet *pkt,
				const struct xen_netif_extra_info *extra)
{
	switch (extra->type) {
	case XEN_NETIF_EXTRA_TYPE_GSO:
		if ((extra->u.gso.type != XEN_NETIF_GSO_TYPE_TCPV4 &&
		     extra->u.gso.type != XEN_NETIF_GSO_TYPE_TCPV6) ||
		    !extra->u.gso.size) {
			xnl_rx_bad(pkt, XNL_RX_GSO);
			break;
		}
		pkt->gso_type = extra->u.gso.type;
		pkt->gso_size = extra->u.gso.size;
		break;
	case XEN_NETIF_EXTRA_TYPE_HASH:
		if (extra->u.hash.type > _XEN_NETIF_CTRL_HASH_TYPE_IPV6_TCP)
			break;	/* a hint of a kind not known here */
		pkt->hash_type = extra->u.hash.type + 1;
		memcpy(&pkt->hash, extra->u.hash.value, sizeof(pkt->hash));
		break;
	case XEN_NETIF_EXTRA_TYPE_XDP:
		if (extra->u.xdp.headroom >= XEN_PAGE_SIZE) {
			xnl_rx_bad(pkt, XNL_RX_EXTRA);
			break;
		}
		pkt->headroom = extra->u.xdp.headroom;
		break;
	default:
		xnl_rx_bad(pkt, XNL_RX_EXTRA);
		break;
	}
}

/*
 * The extra infos of a packet follow its first slot. Bounded by what was
 * pushed: @avail counts the ring slots from the packet's first one on.
 */
static inline void xnl_rx_extras(struct xen_netif_rx_front_ring *ring,
				 RING_IDX cons, unsigned int avail,
				 struct xnl_rx_packet *pkt)
{
	struct xen_netif_extra_info extra;
	struct xen_netif_rx_response rsp;

	do {
		if (pkt->nr_ring == avail) {
			xnl_rx_bad(pkt, XNL_RX_TRUNCATED);
			return;
		}
		RING_COPY_RESPONSE(ring, cons + pkt->nr_ring, &rsp);
		pkt->nr_ring++;
		memcpy(&extra, &rsp, sizeof(extra));
		xnl_rx_extra(pkt, &extra);
	} while (extra.flags & XEN_NETIF_EXTRA_FLAG_MORE);
}

/* One data slot; @ring_slot is its distance from the packet's first one. */
static inline void xnl_rx_data(struct xnl_rx_packet *pkt,
			       const struct xen_netif_rx_response *rsp,
			       unsigned int ring_slot)
{
	/*
	 * With headroom, Linux's netback leaves offset at 0 and lets status
	 * count the headroom too (xen-netback's rx.c).
	 */
	int len = rsp->status - pkt->headroom;
	unsigned int offset = rsp->offset + pkt->headroom;

	if (rsp->status < 0)
		xnl_rx_bad(pkt, XNL_RX_STATUS);
	else if (len <= 0 || offset + len > XEN_PAGE_SIZE)
		xnl_rx_bad(pkt, XNL_RX_BOUNDS);
	else if (pkt->nr_data == XNL_SLOTS_MAX ||
		 pkt->len + len > XNL_PACKET_MAX)
		xnl_rx_bad(pkt, XNL_RX_SLOTS);
	if (pkt->bad != XNL_RX_GOOD)
		return;

	pkt->slot[pkt->nr_data].ring = ring_slot;
	pkt->slot[pkt->nr_data].offset = offset;
	pkt->slot[pkt->nr_data].len = len;
	pkt->nr_data++;
	pkt->len += len;
}

/**
 * xnl_rx_parse - take one packet off the receive ring
 * @ring: the receive ring
 * @cons: index of the packet's first response
 * @avail: responses waiting from @cons on, at least 1 (xnl_ring_responses())
 * @pkt: filled in; see &struct xnl_rx_packet
 *
 * Response k answers the slot it sits in: its id is not looked at, since extra
 * infos overwrite it. Each response is copied once and only the copy is used.
 */
static inline void xnl_rx_parse(struct xen_netif_rx_front_ring *ring,
				RING_IDX cons, unsigned int avail,
				struct xnl_rx_packet *pkt)
{
	struct xen_netif_rx_response rsp;
	unsigned int at = 0;

	RING_COPY_RESPONSE(ring, cons, &rsp);
	pkt->bad = XNL_RX_GOOD;
	pkt->nr_ring = 1;
	pkt->nr_data = 0;
	pkt->len = 0;
	pkt->flags = rsp.flags;
	pkt->gso_size = 0;
	pkt->headroom = 0;
	pkt->gso_type = XEN_NETIF_GSO_TYPE_NONE;
	pkt->hash_type = 0;

	if (rsp.flags & XEN_NETRXF_extra_info)
		xnl_rx_extras(ring, cons, avail, pkt);

	for (;;) {
		xnl_rx_data(pkt, &rsp, at);
		if (!(rsp.flags & XEN_NETRXF_more_data))
			break;
		if (pkt->nr_ring == avail) {
			xnl_rx_bad(pkt, XNL_RX_TRUNCATED);
			break;
		}
		at = pkt->nr_ring++;
		RING_COPY_RESPONSE(ring, cons + at, &rsp);
	}
	if (pkt->len < ETH_HLEN)
		xnl_rx_bad(pkt, XNL_RX_SHORT);
}

static inline void xnl_rx_request(struct xen_netif_rx_front_ring *ring,
				  grant_ref_t gref)
{
	struct xen_netif_rx_request *req;
	u16 id = ring->req_prod_pvt & XNL_RING_MASK;

	req = RING_GET_REQUEST(ring, ring->req_prod_pvt++);
	*req = (struct xen_netif_rx_request){ .id = id, .gref = gref };
}

#endif /* XNL_RING_H */
