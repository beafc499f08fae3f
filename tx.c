// SPDX-License-Identifier: GPL-2.0
/*
 * Transmit: from ndo_start_xmit to the ring, and from the backend's answers
 * back to freed skbs. What a ring is made of is tx_ring.c's; neither knows of
 * xenstore or PCI.
 *
 * A packet, or else its linear part, that fits in the id's share of the bounce
 * pages is copied there: those pages are granted once and for all, which saves a
 * grant and its revocation per packet, and a backend that is not trusted never
 * sees the rest of a page it should not. Everything else is granted page by page.
 * Of a packet copied whole nothing but its slots waits for the answer, where the
 * ring is nearly empty: the skb is freed at once, and the backend need not
 * interrupt for it. A fuller ring keeps skbs, which is what holds senders back.
 *
 * What a short packet goes through is inlined, which the compiler does not do by
 * itself where there is a second caller: 130 instructions of the 507 that a 64
 * byte send took here (Documentation/performance.rst).
 *
 * Context: the sender runs under the transmit queue's lock with BHs disabled,
 * the completer in NAPI. They share xnl_tx_ids, which needs no lock.
 */
#include <linux/if_vlan.h>
#include <xen/events.h>
#include <xen/page.h>

#include "xennet_lite.h"

/* With so many slots unanswered a packet is still freed when it is copied. */
#define TX_FREE_EARLY	4

static unsigned int bounce_size(const struct xnl_vif *vif)
{
	return 1U << vif->bounce_shift;
}

static unsigned int tx_outstanding(const struct xnl_queue *queue)
{
	return queue->tx.req_prod_pvt - READ_ONCE(queue->tx.rsp_cons);
}

/* Requests that may still be made: bounded by ring slots and by free ids. */
static unsigned int tx_room(const struct xnl_queue *queue)
{
	return min(XNL_RING_SIZE - tx_outstanding(queue),
		   xnl_tx_ids_free(&queue->tx_ids));
}

/**
 * struct tx_packet - a packet being laid on slots, an skb's or an xdp_frame's
 * @queue: where it goes
 * @data: its linear part
 * @head_len: bytes of that
 * @len: bytes of all
 * @copied: bytes of the start that go through the bounce pages, packed: all of
 *          the packet, or at most its linear part, in one slot
 * @frags: its fragments
 * @nr_frags: how many
 * @gso_type: XEN_NETIF_GSO_TYPE_*
 * @gso_size: bytes per segment
 * @head: id of its first slot, -1 before
 * @flags: XEN_NETTXF_* of the last slot written, without more_data
 * @last: the last slot written; only ever written to, never read
 */
struct tx_packet {
	struct xnl_queue *queue;
	void *data;
	unsigned int head_len;
	unsigned int len;
	unsigned int copied;
	const skb_frag_t *frags;
	unsigned int nr_frags;
	u8 gso_type;
	u16 gso_size;
	u16 flags;
	int head;
	struct xen_netif_tx_request *last;
};

/*
 * What is copied: all that an untrusted backend gets; else what is short enough,
 * or starts so near the end of a page that the first slot would not hold all
 * headers (netif.h asks for an Ethernet header).
 */
static unsigned int tx_copied(const struct xnl_vif *vif,
			      const struct tx_packet *pkt)
{
	unsigned int copybreak = READ_ONCE(vif->tx_copybreak);

	if (!vif->trusted || pkt->len <= copybreak)
		return pkt->len;
	if (pkt->head_len <= copybreak)
		return pkt->head_len;
	if (PAGE_SIZE - offset_in_page(pkt->data) < bounce_size(vif))
		return min(pkt->head_len, bounce_size(vif));
	return 0;
}

static __always_inline void tx_from_skb(struct tx_packet *pkt,
					const struct xnl_vif *vif,
					const struct sk_buff *skb)
{
	const struct skb_shared_info *shinfo = skb_shinfo(skb);

	/* One by one: of an initializer the compiler makes a slow "rep stos". */
	pkt->data = skb->data;
	pkt->head_len = skb_headlen(skb);
	pkt->len = skb->len;
	pkt->frags = shinfo->frags;
	pkt->nr_frags = shinfo->nr_frags;
	pkt->gso_type = XEN_NETIF_GSO_TYPE_NONE;
	pkt->gso_size = 0;
	pkt->flags = 0;
	pkt->head = -1;
	if (skb->ip_summed == CHECKSUM_PARTIAL)
		pkt->flags = XEN_NETTXF_csum_blank | XEN_NETTXF_data_validated;
	else if (skb->ip_summed == CHECKSUM_UNNECESSARY)
		pkt->flags = XEN_NETTXF_data_validated;
	if (shinfo->gso_size) {
		pkt->gso_type = shinfo->gso_type & SKB_GSO_TCPV4 ?
				XEN_NETIF_GSO_TYPE_TCPV4 :
				XEN_NETIF_GSO_TYPE_TCPV6;
		pkt->gso_size = shinfo->gso_size;
		pkt->flags |= XEN_NETTXF_extra_info;
	}
	pkt->copied = tx_copied(vif, pkt);
}

static void tx_from_frame(struct tx_packet *pkt, const struct xnl_vif *vif,
			  struct xdp_frame *frame, bool csum_blank)
{
	*pkt = (struct tx_packet){
		.data = frame->data,
		.head_len = frame->len,
		.len = xdp_get_frame_len(frame),
		.head = -1,
	};
	if (csum_blank)
		pkt->flags = XEN_NETTXF_csum_blank | XEN_NETTXF_data_validated;
	if (xdp_frame_has_frags(frame)) {
		struct skb_shared_info *shinfo =
			xdp_get_shared_info_from_frame(frame);

		pkt->frags = shinfo->frags;
		pkt->nr_frags = shinfo->nr_frags;
	}
	pkt->copied = tx_copied(vif, pkt);
}

static __always_inline unsigned int tx_put(struct tx_packet *pkt,
					   enum xnl_tx_state state,
					   unsigned int offset,
					   unsigned int len, struct page *page)
{
	struct xnl_queue *queue = pkt->queue;
	unsigned int id = xnl_tx_id_take(&queue->tx_ids, state, pkt->head);
	struct xen_netif_tx_front_ring *ring = &queue->tx;
	struct xnl_tx_slot *slot = &queue->tx_slot[id];
	bool first = pkt->head < 0;
	grant_ref_t gref;

	if (state == XNL_TX_BOUNCED) {
		gref = slot->bounce_gref;
		offset = offset_in_page(slot->bounce);
	} else {
		gref = slot->gref;
		gnttab_page_grant_foreign_access_ref_one(gref, queue->otherend,
							 page, 1);
	}

	if (first) {
		pkt->head = id;
		len = pkt->len;
	} else {
		pkt->last->flags = pkt->flags | XEN_NETTXF_more_data;
		pkt->flags = 0;
	}
	pkt->last = xnl_tx_request(ring, gref, offset, len, pkt->flags, id);
	if (first && pkt->gso_size)
		xnl_tx_extra_gso(ring, pkt->gso_type, pkt->gso_size);
	return id;
}

/* One slot of what is copied; returns where its @len bytes go. */
static __always_inline void *tx_put_bounced(struct tx_packet *pkt,
					    unsigned int len)
{
	unsigned int id = tx_put(pkt, XNL_TX_BOUNCED, 0, len, NULL);

	return pkt->queue->tx_slot[id].bounce;
}

/*
 * What is copied goes through the bounce pages, packed: @from moves along the
 * pieces while slots of up to a bounce buffer's size are filled.
 */
static noinline void tx_bounce_pieces(struct tx_packet *pkt)
{
	unsigned int left = pkt->copied, room = 0, i = 0, chunk;
	unsigned int piece = pkt->head_len;
	void *from = pkt->data;
	void *to = NULL;

	while (left) {
		while (!piece) {
			piece = skb_frag_size(&pkt->frags[i]);
			from = skb_frag_address(&pkt->frags[i++]);
		}
		if (!room) {
			room = min(left, bounce_size(pkt->queue->vif));
			to = tx_put_bounced(pkt, room);
		}
		chunk = min3(piece, room, left);
		memcpy(to, from, chunk);
		to += chunk;
		from += chunk;
		room -= chunk;
		piece -= chunk;
		left -= chunk;
	}
}

static void tx_grant(struct tx_packet *pkt, struct page *page,
		     unsigned int offset, unsigned int len)
{
	unsigned int chunk;

	page += offset >> PAGE_SHIFT;
	offset &= ~PAGE_MASK;
	while (len) {
		chunk = min_t(unsigned int, len, PAGE_SIZE - offset);
		tx_put(pkt, XNL_TX_GRANTED, offset, chunk, page);
		page++;
		offset = 0;
		len -= chunk;
	}
}

/* What is not copied is granted where it is. */
static noinline void tx_grant_rest(struct tx_packet *pkt)
{
	unsigned int i;

	if (pkt->head_len > pkt->copied)
		tx_grant(pkt, virt_to_page(pkt->data + pkt->copied),
			 offset_in_page(pkt->data + pkt->copied),
			 pkt->head_len - pkt->copied);
	for (i = 0; i < pkt->nr_frags; i++)
		tx_grant(pkt, skb_frag_page(&pkt->frags[i]),
			 skb_frag_off(&pkt->frags[i]),
			 skb_frag_size(&pkt->frags[i]));
}

/*
 * Lays the packet on the ring; the room was checked. @owner is freed when all of
 * it is answered; NULL: the packet is copied whole, and nothing waits for that.
 */
static __always_inline void tx_lay(struct tx_packet *pkt,
				   struct xnl_queue *queue, void *owner)
{
	RING_IDX seq = queue->tx.req_prod_pvt;

	pkt->queue = queue;
	if (likely(pkt->copied <= min(pkt->head_len, bounce_size(queue->vif)))) {
		if (pkt->copied)
			memcpy(tx_put_bounced(pkt, pkt->copied), pkt->data,
			       pkt->copied);
	} else {
		tx_bounce_pieces(pkt);
	}
	if (pkt->copied < pkt->len)
		tx_grant_rest(pkt);
	queue->tx_slot[pkt->head].owner = owner;
	queue->tx_slot[pkt->head].seq = seq;
	if (owner)
		WRITE_ONCE(queue->tx_owned, queue->tx_owned + 1);
}

static unsigned int pages_spanned(unsigned int offset, unsigned int len)
{
	return PFN_UP((offset & ~PAGE_MASK) + len);
}

/* Slots that tx_lay() uses for a packet that is not copied whole, extra info included. */
static unsigned int tx_slots(const struct xnl_vif *vif,
			     const struct tx_packet *pkt)
{
	unsigned int slots = pkt->gso_size ? 1 : 0;
	unsigned int i;

	slots += (pkt->copied + bounce_size(vif) - 1) >> vif->bounce_shift;
	if (pkt->head_len > pkt->copied)
		slots += pages_spanned(offset_in_page(pkt->data + pkt->copied),
				       pkt->head_len - pkt->copied);
	for (i = 0; i < pkt->nr_frags; i++)
		slots += pages_spanned(skb_frag_off(&pkt->frags[i]),
				       skb_frag_size(&pkt->frags[i]));
	return slots;
}

/*
 * What is copied whole needs few enough: one slot, or of an untrusted backend's
 * pages at most 16 for 65535 bytes.
 */
static bool tx_fits(const struct xnl_vif *vif, const struct tx_packet *pkt)
{
	if (unlikely(pkt->len > XNL_PACKET_MAX || pkt->len < ETH_HLEN))
		return false;
	return pkt->copied == pkt->len || tx_slots(vif, pkt) <= XNL_SLOTS_MAX;
}

/* Of a packet in many pieces, a long one, or with GSO. */
static noinline netdev_features_t tx_features(struct sk_buff *skb,
					      struct net_device *netdev,
					      netdev_features_t features)
{
	struct xnl_vif *vif = netdev_priv(netdev);
	struct tx_packet pkt;

	tx_from_skb(&pkt, vif, skb);
	if (!tx_fits(vif, &pkt))
		features &= skb_is_gso(skb) ? ~NETIF_F_GSO_MASK : ~NETIF_F_SG;
	return vlan_features_check(skb, features);
}

/**
 * xnl_features_check - let the stack split what the ring cannot take whole
 * @skb: about to be sent
 * @netdev: our net_device
 * @features: what the stack would use
 *
 * A packet in more pieces than a backend is bound to take is segmented in
 * software, or made linear when it is no GSO packet, instead of being dropped.
 *
 * Return: @features, less GSO or scatter-gather where needed.
 */
netdev_features_t xnl_features_check(struct sk_buff *skb,
				     struct net_device *netdev,
				     netdev_features_t features)
{
	/* Pieces that are no longer than a page lie in two at most. */
	if (!skb_is_gso(skb) && skb->len <= PAGE_SIZE &&
	    skb_shinfo(skb)->nr_frags < XNL_SLOTS_MAX / 2)
		return features;
	return tx_features(skb, netdev, features);
}

/*
 * The completer asked for no interrupt while nothing waited for an answer
 * (xnl_tx_rearm()); now something does.
 */
static void tx_ask_again(struct xnl_queue *queue)
{
	queue->tx_quiet = false;
	WRITE_ONCE(queue->tx.sring->rsp_event, queue->tx.req_prod_pvt);
	virt_mb(); /* the backend sees the wish before we look */
	if (READ_ONCE(queue->tx.sring->rsp_prod) == queue->tx.req_prod_pvt)
		napi_schedule(&queue->napi);
}

/*
 * Only here do the packets become answerable: a backend that answers one before
 * BQL counted it would drive the count below zero, which is a BUG.
 */
static void tx_doorbell(struct xnl_queue *queue)
{
	bool notify;

	xnl_tx_ids_send(&queue->tx_ids);
	/* Its barrier orders tx_owned before the look at tx_quiet. */
	RING_PUSH_REQUESTS_AND_CHECK_NOTIFY(&queue->tx, notify);
	if (READ_ONCE(queue->tx_quiet) &&
	    queue->tx_owned != READ_ONCE(queue->tx_freed))
		tx_ask_again(queue);
	if (!notify)
		return;
	notify_remote_via_irq(queue->tx_irq);
	u64_stats_inc(&queue->stats->tx.doorbells);
}

/*
 * Called after a packet, and by a sender who found no room; the completer may
 * free slots at the same time. True where the queue is stopped.
 */
static __always_inline bool tx_stop_if_full(struct xnl_queue *queue,
					    struct netdev_queue *txq)
{
	if (likely(tx_room(queue) >= XNL_TX_STOP))
		return false;
	netif_tx_stop_queue(txq);
	/* Pairs with the completer: it frees, then looks for a stopped queue. */
	smp_mb();
	if (tx_room(queue) < XNL_TX_WAKE)
		return true;
	netif_tx_start_queue(txq);
	return false;
}

netdev_tx_t xnl_start_xmit(struct sk_buff *skb, struct net_device *netdev)
{
	struct xnl_vif *vif = netdev_priv(netdev);
	struct xnl_queue *queue = &vif->queues[skb_get_queue_mapping(skb)];
	struct netdev_queue *txq = netdev_get_tx_queue(netdev, queue->index);
	struct xnl_tx_stats *stats = &queue->stats->tx;
	unsigned int len = skb->len;
	bool push = !netdev_xmit_more();
	struct tx_packet pkt;
	bool early;

	tx_from_skb(&pkt, vif, skb);
	if (unlikely(queue->broken || !tx_fits(vif, &pkt)))
		goto drop;
	/* Only a sender that ignores a stopped queue is turned away. */
	if (unlikely(tx_stop_if_full(queue, txq)))
		return NETDEV_TX_BUSY;

	skb_tx_timestamp(skb);
	early = pkt.copied == len && tx_outstanding(queue) < TX_FREE_EARLY;
	tx_lay(&pkt, queue, early ? NULL : skb);

	u64_stats_update_begin(&stats->syncp);
	u64_stats_inc(&stats->packets);
	u64_stats_add(&stats->bytes, len);
	tx_stop_if_full(queue, txq);
	/* BQL counts what is freed by an answer. */
	if (early)
		push |= netif_tx_queue_stopped(txq);
	else
		push = __netdev_tx_sent_queue(txq, len, !push);
	if (push)
		tx_doorbell(queue);
	u64_stats_update_end(&stats->syncp);
	if (early)
		dev_consume_skb_any(skb);
	return NETDEV_TX_OK;

drop:
	dev_kfree_skb_any(skb);
	u64_stats_update_begin(&stats->syncp);
	u64_stats_inc(&stats->dropped);
	if (push)
		tx_doorbell(queue);
	u64_stats_update_end(&stats->syncp);
	return NETDEV_TX_OK;
}

/**
 * xnl_tx_frame - send an xdp_frame
 * @queue: the queue; the caller holds its transmit lock
 * @frame: the frame; ours once sent
 * @csum_blank: its transport checksum is still to be filled in
 *
 * Rings no doorbell: xnl_tx_flush() does, once for many frames.
 *
 * Return: 0, -ENOSPC when the ring is full, -EMSGSIZE for what no ring takes.
 */
int xnl_tx_frame(struct xnl_queue *queue, struct xdp_frame *frame,
		 bool csum_blank)
{
	struct xnl_tx_stats *stats = &queue->stats->tx;
	struct tx_packet pkt;

	tx_from_frame(&pkt, queue->vif, frame, csum_blank);
	if (unlikely(!tx_fits(queue->vif, &pkt)))
		return -EMSGSIZE;
	if (unlikely(queue->broken || tx_room(queue) < XNL_TX_STOP))
		return -ENOSPC;
	tx_lay(&pkt, queue, (void *)frame + 1);
	u64_stats_update_begin(&stats->syncp);
	u64_stats_inc(&stats->packets);
	u64_stats_add(&stats->bytes, pkt.len);
	u64_stats_inc(&stats->xdp);
	u64_stats_update_end(&stats->syncp);
	return 0;
}

/* Tell the backend of what xnl_tx_frame() sent; under the transmit lock. */
void xnl_tx_flush(struct xnl_queue *queue)
{
	struct xnl_tx_stats *stats = &queue->stats->tx;

	tx_stop_if_full(queue, netdev_get_tx_queue(queue->vif->netdev,
						   queue->index));
	u64_stats_update_begin(&stats->syncp);
	tx_doorbell(queue);
	u64_stats_update_end(&stats->syncp);
}

/*
 * One answer, from a private copy. The grant ends before anything is freed: a
 * backend that answers but keeps the page mapped could read whatever the page
 * is used for next.
 */
static enum xnl_fault tx_answer(struct xnl_queue *queue,
				const struct xen_netif_tx_response *rsp,
				void **done)
{
	struct xnl_tx_ids *ids = &queue->tx_ids;
	enum xnl_fault fault;
	int head;

	*done = NULL;
	fault = xnl_tx_id_check(ids, rsp->id);
	if (unlikely(fault))
		return fault;
	if (ids->id[rsp->id].state == XNL_TX_GRANTED &&
	    unlikely(!gnttab_end_foreign_access_ref(queue->tx_slot[rsp->id].gref)))
		return XNL_FAULT_GRANT;
	head = xnl_tx_id_answered(ids, rsp->id);
	if (head >= 0) {
		*done = queue->tx_slot[head].owner;
		queue->tx_slot[head].owner = NULL;
		xnl_tx_id_free(ids, head);
	}
	return XNL_FAULT_NONE;
}

/* A guess for an id that is not outstanding, which tx_answer() is to find. */
static bool tx_is_frame(const struct xnl_queue *queue, unsigned int id)
{
	return id < XNL_RING_SIZE &&
	       xnl_is_frame(queue->tx_slot[queue->tx_ids.id[id].head].owner);
}

/**
 * xnl_tx_complete - consume the backend's answers, free what was sent
 * @queue: the queue
 * @budget: NAPI's budget, 0 from netpoll
 *
 * Bounded by what was outstanding when it began.
 *
 * Context: NAPI.
 */
void xnl_tx_complete(struct xnl_queue *queue, int budget)
{
	struct netdev_queue *txq = netdev_get_tx_queue(queue->vif->netdev,
						       queue->index);
	struct xen_netif_tx_front_ring *ring = &queue->tx;
	unsigned int packets = 0, bytes = 0, errors = 0, freed = 0;
	enum xnl_fault fault = XNL_FAULT_NONE;
	struct xen_netif_tx_response rsp;
	RING_IDX cons = ring->rsp_cons;
	struct xdp_frame_bulk bulk;
	struct sk_buff *skb;
	unsigned int left;
	RING_IDX prod;
	void *owner;

	xdp_frame_bulk_init(&bulk);
	rcu_read_lock(); /* for the bulk */
	prod = READ_ONCE(ring->sring->rsp_prod);
	virt_rmb(); /* answers are read after the index that announces them */
	left = xnl_ring_responses(prod, cons, READ_ONCE(ring->req_prod_pvt),
				  &fault);
	if (left)
		queue->tx_work = true;
	for (; left && !fault; left--, cons++) {
		RING_COPY_RESPONSE(ring, cons, &rsp);
		if (rsp.status == XEN_NETIF_RSP_NULL)
			continue;	/* an extra info's slot */
		/* No page pool without a budget (napi.rst): netpoll may be in an interrupt. */
		if (unlikely(!budget) && tx_is_frame(queue, rsp.id))
			break;
		errors += rsp.status < 0;
		fault = tx_answer(queue, &rsp, &owner);
		if (!owner)
			continue;
		freed++;
		if (xnl_is_frame(owner)) {
			xdp_return_frame_bulk(xnl_owner_frame(owner), &bulk);
			continue;
		}
		skb = owner;
		packets++;
		bytes += skb->len;
		napi_consume_skb(skb, budget);
	}
	WRITE_ONCE(ring->rsp_cons, cons);
	WRITE_ONCE(queue->tx_freed, queue->tx_freed + freed);
	xdp_flush_frame_bulk(&bulk);
	rcu_read_unlock();

	if (unlikely(errors)) {
		u64_stats_update_begin(&queue->stats->rx.syncp);
		u64_stats_add(&queue->stats->rx.tx_errors, errors);
		u64_stats_update_end(&queue->stats->rx.syncp);
	}
	netdev_tx_completed_queue(txq, packets, bytes);
	/* Pairs with tx_stop_if_full(). */
	smp_mb();
	if (unlikely(netif_tx_queue_stopped(txq)) &&
	    tx_room(queue) >= XNL_TX_WAKE)
		netif_tx_wake_queue(txq);
	if (unlikely(fault))
		xnl_queue_broken(queue, fault);
}

/**
 * xnl_tx_awaited - does a packet wait for its answer to be freed?
 * @queue: the queue
 */
bool xnl_tx_awaited(const struct xnl_queue *queue)
{
	return READ_ONCE(queue->tx_owned) != READ_ONCE(queue->tx_freed);
}

/**
 * xnl_tx_rearm - ask for an event, unless there is something to do already
 * @queue: the queue
 *
 * The event is asked for when half of what is outstanding is answered, or as
 * many as ethtool -C tx-frames says: one interrupt for many packets, yet always
 * one before the ring runs dry. Where no packet waits for an answer none is
 * asked for, until one does (tx_ask_again()).
 *
 * Return: true where the poll has to run again at once.
 */
bool xnl_tx_rearm(struct xnl_queue *queue)
{
	struct xen_netif_tx_front_ring *ring = &queue->tx;
	RING_IDX frames, event;

	if (!xnl_tx_awaited(queue)) {
		queue->tx_quiet = true;
		virt_mb(); /* pairs with the push in tx_doorbell() */
		if (!xnl_tx_awaited(queue))
			return false;
		queue->tx_quiet = false;
	}
	frames = min((READ_ONCE(ring->req_prod_pvt) - ring->rsp_cons) / 2 + 1,
		     READ_ONCE(queue->vif->tx_frames));
	event = ring->rsp_cons + frames;
	WRITE_ONCE(ring->sring->rsp_event, event);
	virt_mb(); /* the backend sees the wish before we look again */
	return (s32)(READ_ONCE(ring->sring->rsp_prod) - event) >= 0;
}
