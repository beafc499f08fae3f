// SPDX-License-Identifier: GPL-2.0
/*
 * Receive: from the backend's answers to skbs handed to GRO, and the buffers
 * posted for what comes next. Owns the receive half of a queue's state.
 *
 * Buffers are whole pages of a page pool. Three ways lead to an skb: a short
 * packet is copied to a part of another page, and its own stays granted and is
 * posted again; a packet in one page with room behind it gets its skb built around
 * the page; anything larger gets its headers copied and its pages as fragments. A
 * page leaves for the stack only after its grant has ended.
 *
 * Context: NAPI of the queue, or process context while it is not polled.
 */
#include <net/busy_poll.h>
#include <xen/events.h>
#include <xen/page.h>

#include "xennet_lite.h"

/* Headers copied into the linear part of an skb with page fragments. */
#define RX_PULL		128
/* When no page is to be had, look again after this time. */
#define RX_RETRY	(HZ / 10)

static struct xnl_rx_buf *rx_buf(struct xnl_queue *queue, RING_IDX index)
{
	return &queue->rx_buf[index & XNL_RING_MASK];
}

/* Post the page of slot @index, still granted, once more. */
static void rx_repost(struct xnl_queue *queue, RING_IDX index)
{
	struct xnl_rx_buf *to = rx_buf(queue, queue->rx.req_prod_pvt);
	struct xnl_rx_buf *from = rx_buf(queue, index);

	if (to != from)
		swap(*to, *from);
	xnl_rx_request(&queue->rx, to->gref);
}

/* Take slot @index's page away from the backend; NULL: it would not let go. */
static struct page *rx_take(struct xnl_queue *queue, RING_IDX index)
{
	struct xnl_rx_buf *buf = rx_buf(queue, index);
	struct page *page = buf->page;

	if (unlikely(!gnttab_end_foreign_access_ref(buf->gref)))
		return NULL;
	buf->page = NULL;
	return page;
}

/* Post receive buffers up to the target. NAPI, or BHs disabled and NAPI not enabled. */
static void rx_refill(struct xnl_queue *queue)
{
	struct xen_netif_rx_front_ring *ring = &queue->rx;
	unsigned int posted = ring->req_prod_pvt - ring->rsp_cons;
	struct xnl_rx_buf *buf;
	struct page *page;
	bool notify;

	for (; posted < queue->rx_target; posted++) {
		page = xnl_page_alloc(queue, GFP_ATOMIC | __GFP_NOWARN);
		if (unlikely(!page))
			break;
		/* The backend could read what a recycled page still holds. */
		if (!queue->vif->trusted)
			clear_page(page_address(page));
		buf = rx_buf(queue, ring->req_prod_pvt);
		buf->page = page;
		gnttab_page_grant_foreign_access_ref_one(buf->gref,
							 queue->otherend, page,
							 0);
		xnl_rx_request(ring, buf->gref);
	}
	if (unlikely(posted < XNL_SLOTS_MAX))
		schedule_delayed_work(&queue->refill, RX_RETRY);

	RING_PUSH_REQUESTS_AND_CHECK_NOTIFY(ring, notify);
	if (notify && queue->rx_irq)
		notify_remote_via_irq(queue->rx_irq);
}

/*
 * The target starts low, so that an idle queue holds little memory, and
 * doubles whenever the backend has less than half of it left. What it has left
 * is its own word, which can but make the target grow to its bound.
 */
static void rx_grow(struct xnl_queue *queue)
{
	RING_IDX left = queue->rx.req_prod_pvt -
			READ_ONCE(queue->rx.sring->rsp_prod);

	if (left < queue->rx_target / 2)
		queue->rx_target = min_t(unsigned int, queue->rx_target * 2,
					 READ_ONCE(queue->vif->rx_pending));
}

static void rx_refill_work(struct work_struct *work)
{
	struct xnl_queue *queue = container_of(to_delayed_work(work),
					       struct xnl_queue, refill);

	xnl_queue_kick(queue);
}

/* A short packet: to a part of a page of the pool, as nothing there is cleared. */
static struct sk_buff *rx_copy(struct xnl_queue *queue, RING_IDX cons,
			       const struct xnl_rx_packet *pkt)
{
	unsigned int room = NET_SKB_PAD + NET_IP_ALIGN;
	unsigned int size = SKB_DATA_ALIGN(room + pkt->len) +
			    SKB_DATA_ALIGN(sizeof(struct skb_shared_info));
	unsigned int offset;
	struct sk_buff *skb;
	struct page *page;

	page = page_pool_dev_alloc_frag(queue->pool, &offset, size);
	if (unlikely(!page))
		return NULL;
	skb = napi_build_skb(page_address(page) + offset, size);
	if (unlikely(!skb)) {
		page_pool_recycle_direct(queue->pool, page);
		return NULL;
	}
	skb_mark_for_recycle(skb);
	skb_reserve(skb, room);
	skb_put_data(skb, page_address(rx_buf(queue, cons)->page) +
			  pkt->slot[0].offset, pkt->len);
	return skb;
}

static struct sk_buff *rx_build(struct xnl_queue *queue, RING_IDX cons,
				const struct xnl_rx_packet *pkt)
{
	struct page *page = rx_take(queue, cons);
	struct sk_buff *skb;

	if (unlikely(!page)) {
		xnl_queue_broken(queue, XNL_FAULT_GRANT);
		return NULL;
	}
	skb = napi_build_skb(page_address(page), PAGE_SIZE);
	if (unlikely(!skb)) {
		page_pool_recycle_direct(queue->pool, page);
		return NULL;
	}
	skb_mark_for_recycle(skb);
	skb_reserve(skb, pkt->slot[0].offset);
	skb_put(skb, pkt->len);
	return skb;
}

static struct sk_buff *rx_fragments(struct xnl_queue *queue, RING_IDX cons,
				    const struct xnl_rx_packet *pkt)
{
	struct sk_buff *skb = napi_alloc_skb(&queue->napi, RX_PULL);
	unsigned int i, offset, len, pull;
	struct page *page;

	if (unlikely(!skb))
		return NULL;
	skb_mark_for_recycle(skb);
	for (i = 0; i < pkt->nr_data; i++) {
		page = rx_take(queue, cons + pkt->slot[i].ring);
		if (unlikely(!page)) {
			xnl_queue_broken(queue, XNL_FAULT_GRANT);
			kfree_skb(skb);
			return NULL;
		}
		offset = pkt->slot[i].offset;
		len = pkt->slot[i].len;
		if (i == 0) {
			pull = min_t(unsigned int, len, RX_PULL);
			skb_put_data(skb, page_address(page) + offset, pull);
			offset += pull;
			len -= pull;
		}
		if (!len || skb_shinfo(skb)->nr_frags == MAX_SKB_FRAGS) {
			/* Too many fragments show in the length below. */
			page_pool_recycle_direct(queue->pool, page);
			continue;
		}
		skb_add_rx_frag(skb, skb_shinfo(skb)->nr_frags, page, offset,
				len, PAGE_SIZE);
	}
	/* eth_type_trans() takes a linear Ethernet header for granted. */
	if (unlikely(skb->len != pkt->len || !pskb_may_pull(skb, ETH_HLEN))) {
		kfree_skb(skb);
		return NULL;
	}
	return skb;
}

/*
 * Buffers of this packet that nobody took go back on the ring: the page of a
 * copied packet, those under extra infos, all of a bad packet. In order, so that
 * a slot written here, where the ring is full, was looked at before.
 */
static void rx_repost_rest(struct xnl_queue *queue, RING_IDX cons,
			   unsigned int nr_ring)
{
	unsigned int i;

	for (i = 0; i < nr_ring; i++)
		if (rx_buf(queue, cons + i)->page)
			rx_repost(queue, cons + i);
}

/*
 * GSO and checksums as the backend states them. A GSO packet without a blank
 * checksum is made to have one, since the stack demands it.
 */
static bool rx_offloads(struct xnl_queue *queue, struct sk_buff *skb,
			const struct xnl_rx_packet *pkt)
{
	bool recalculate = false;

	if (pkt->gso_type != XEN_NETIF_GSO_TYPE_NONE) {
		struct skb_shared_info *shinfo = skb_shinfo(skb);

		shinfo->gso_type = pkt->gso_type == XEN_NETIF_GSO_TYPE_TCPV4 ?
				   SKB_GSO_TCPV4 : SKB_GSO_TCPV6;
		shinfo->gso_type |= SKB_GSO_DODGY;
		shinfo->gso_size = pkt->gso_size;
		recalculate = !(pkt->flags & XEN_NETRXF_csum_blank);
	}
	if (pkt->flags & XEN_NETRXF_csum_blank || recalculate) {
		skb->ip_summed = CHECKSUM_PARTIAL;
		if (recalculate) {
			u64_stats_update_begin(&queue->stats->rx.syncp);
			u64_stats_inc(&queue->stats->rx.csum_fixup);
			u64_stats_update_end(&queue->stats->rx.syncp);
		}
		return !skb_checksum_setup(skb, recalculate);
	}
	if (pkt->flags & XEN_NETRXF_data_validated)
		skb->ip_summed = CHECKSUM_UNNECESSARY;
	return true;
}

static struct sk_buff *rx_xdp(struct xnl_queue *queue, RING_IDX cons,
			      const struct xnl_rx_packet *pkt,
			      struct bpf_prog *prog)
{
	struct page *pages[XNL_SLOTS_MAX];
	unsigned int i;

	for (i = 0; i < pkt->nr_data; i++) {
		pages[i] = rx_take(queue, cons + pkt->slot[i].ring);
		if (likely(pages[i]))
			continue;
		xnl_queue_broken(queue, XNL_FAULT_GRANT);
		while (i--)
			page_pool_recycle_direct(queue->pool, pages[i]);
		return NULL;
	}
	return xnl_xdp_receive(queue, prog, pages, pkt);
}

/**
 * struct rx_poll - one poll's work
 * @prog: the XDP program, or NULL
 * @plain: packets that pass GRO by, on their way to the stack
 * @gro_skipped: how many those were
 * @gro_asked: the last packet got as far as GRO
 * @packets: delivered, or taken by the program
 * @bytes: of those
 * @dropped: for want of memory
 * @errors: bad ones
 */
struct rx_poll {
	struct bpf_prog *prog;
	struct list_head plain;
	unsigned int gro_skipped;
	bool gro_asked;
	unsigned int packets;
	unsigned int bytes;
	unsigned int dropped;
	unsigned int errors;
};

/* NULL where there is nothing to deliver. */
static __always_inline struct sk_buff *rx_packet(struct xnl_queue *queue,
						 struct rx_poll *poll,
						 RING_IDX cons,
						 const struct xnl_rx_packet *pkt)
{
	struct sk_buff *skb;

	if (unlikely(pkt->bad != XNL_RX_GOOD)) {
		poll->errors++;
		return NULL;
	}
	if (poll->prog) {
		skb = rx_xdp(queue, cons, pkt, poll->prog);
		/* What a program took was received all the same. */
		poll->packets += !skb;
		poll->bytes += skb ? 0 : pkt->len;
		return skb;
	}
	if (pkt->nr_data == 1 && pkt->len <= queue->vif->rx_copybreak)
		skb = rx_copy(queue, cons, pkt);
	else if (pkt->nr_data == 1 &&
		 pkt->slot[0].offset + pkt->len <= XNL_RX_BUILD_MAX)
		skb = rx_build(queue, cons, pkt);
	else
		skb = rx_fragments(queue, cons, pkt);
	poll->dropped += !skb;
	return skb;
}

static void rx_flush(struct rx_poll *poll)
{
	if (list_empty(&poll->plain))
		return;
	netif_receive_skb_list(&poll->plain);
	INIT_LIST_HEAD(&poll->plain);
}

/*
 * To GRO, or past it (rx_flow.h). A flow keeps its order: what passes by is handed
 * on before the poll's last packet goes to GRO, and of a flow that GRO refuses, it
 * keeps nothing when the poll ends.
 */
static __always_inline void rx_hand_over(struct xnl_queue *queue,
					 struct rx_poll *poll,
					 struct sk_buff *skb, bool last)
{
	struct xnl_flow flow;

	if (!last && !xnl_gro_learnt(&queue->gro)) {
		napi_gro_receive(&queue->napi, skb);
		return;
	}
	xnl_flow_read(&flow, skb->protocol, skb->data, skb_headlen(skb));
	if (last) {
		rx_flush(poll);
		poll->gro_asked = true;
		xnl_gro_learn(&queue->gro, &flow,
			      napi_gro_receive(&queue->napi, skb) == GRO_NORMAL);
	} else if (xnl_gro_useless(&queue->gro, &flow)) {
		skb_mark_napi_id(skb, &queue->napi);
		list_add_tail(&skb->list, &poll->plain);
		poll->gro_skipped++;
	} else {
		napi_gro_receive(&queue->napi, skb);
	}
}

static __always_inline void rx_deliver(struct xnl_queue *queue,
				       struct rx_poll *poll,
				       struct sk_buff *skb,
				       const struct xnl_rx_packet *pkt,
				       bool last)
{
	struct net_device *netdev = queue->vif->netdev;

	skb->protocol = eth_type_trans(skb, netdev);
	skb_reset_network_header(skb);
	if (unlikely(!rx_offloads(queue, skb, pkt))) {
		kfree_skb(skb);
		poll->errors++;
		return;
	}
	if (!(netdev->features & NETIF_F_RXCSUM) &&
	    skb->ip_summed == CHECKSUM_UNNECESSARY)
		skb->ip_summed = CHECKSUM_NONE;
	skb_record_rx_queue(skb, queue->index);
	rx_hand_over(queue, poll, skb, last);
	poll->packets++;
	poll->bytes += pkt->len;
}

static void rx_account(struct xnl_queue *queue, const struct rx_poll *poll)
{
	struct xnl_rx_stats *stats = &queue->stats->rx;

	u64_stats_update_begin(&stats->syncp);
	u64_stats_add(&stats->packets, poll->packets);
	u64_stats_add(&stats->bytes, poll->bytes);
	u64_stats_add(&stats->dropped, poll->dropped);
	u64_stats_add(&stats->errors, poll->errors);
	u64_stats_add(&stats->gro_skipped, poll->gro_skipped);
	u64_stats_update_end(&stats->syncp);
}

/**
 * xnl_rx_poll - receive up to @budget packets
 * @queue: the queue
 * @budget: how many, at least 1
 *
 * Context: NAPI.
 * Return: how many ring packets were consumed, dropped ones included.
 */
int xnl_rx_poll(struct xnl_queue *queue, int budget)
{
	struct xen_netif_rx_front_ring *ring = &queue->rx;
	struct rx_poll poll = { .plain = LIST_HEAD_INIT(poll.plain) };
	enum xnl_fault fault = XNL_FAULT_NONE;
	struct xnl_rx_packet pkt;
	struct sk_buff *skb;
	unsigned int left;
	RING_IDX prod;
	int done = 0;

	prod = READ_ONCE(ring->sring->rsp_prod);
	virt_rmb(); /* answers are read after the index that announces them */
	left = xnl_ring_responses(prod, ring->rsp_cons, ring->req_prod_pvt,
				  &fault);
	if (unlikely(fault)) {
		xnl_queue_broken(queue, fault);
		return 0;
	}
	if (left)
		queue->rx_work = true;

	rcu_read_lock();
	poll.prog = rcu_dereference(queue->vif->xdp_prog);
	while (done < budget && left && !queue->broken) {
		RING_IDX cons = ring->rsp_cons;

		xnl_rx_parse(ring, cons, left, &pkt);
		skb = rx_packet(queue, &poll, cons, &pkt);
		rx_repost_rest(queue, cons, pkt.nr_ring);
		ring->rsp_cons += pkt.nr_ring;
		left -= pkt.nr_ring;
		done++;
		if (skb)
			rx_deliver(queue, &poll, skb, &pkt,
				   !left || done == budget);
	}
	rcu_read_unlock();
	rx_flush(&poll);
	if (unlikely(done && !poll.gro_asked))
		xnl_gro_forget(&queue->gro);
	if (poll.prog)
		xnl_xdp_flush(queue);

	rx_account(queue, &poll);
	if (likely(!queue->broken)) {
		rx_grow(queue);
		rx_refill(queue);
	}
	return done;
}

/**
 * xnl_rx_rearm - ask for an event at the next packet
 * @queue: the queue
 *
 * Return: true where the poll has to run again at once.
 */
bool xnl_rx_rearm(struct xnl_queue *queue)
{
	struct xen_netif_rx_front_ring *ring = &queue->rx;

	WRITE_ONCE(ring->sring->rsp_event, ring->rsp_cons + 1);
	virt_mb(); /* the backend sees the wish before we look again */
	return READ_ONCE(ring->sring->rsp_prod) != ring->rsp_cons;
}

/**
 * xnl_rx_create - the receive ring, its grant references and first buffers
 * @queue: the queue with its pages, its vif's trust known
 *
 * Return: 0 or a negative errno; xnl_rx_destroy() undoes a half made one too.
 */
int xnl_rx_create(struct xnl_queue *queue)
{
	struct xen_netif_rx_sring *sring;
	grant_ref_t refs;
	unsigned int i;
	int err;

	queue->rx_target = XNL_RX_TARGET_MIN;
	queue->rx_ring_gref = INVALID_GRANT_REF;
	INIT_DELAYED_WORK(&queue->refill, rx_refill_work);
	for (i = 0; i < XNL_RING_SIZE; i++)
		queue->rx_buf[i].gref = INVALID_GRANT_REF;

	err = xenbus_setup_ring(queue->vif->xdev, GFP_KERNEL, (void **)&sring,
				1, &queue->rx_ring_gref);
	if (err)
		return err;
	SHARED_RING_INIT(sring);
	FRONT_RING_INIT(&queue->rx, sring, XEN_PAGE_SIZE);

	err = gnttab_alloc_grant_references(XNL_RING_SIZE, &refs);
	if (err)
		return err;
	for (i = 0; i < XNL_RING_SIZE; i++)
		queue->rx_buf[i].gref = gnttab_claim_grant_reference(&refs);

	/* Each fragment has a page of its own, up to whose end it may grow. */
	err = __xdp_rxq_info_reg(&queue->xdp_rxq, queue->vif->netdev,
				 queue->index, queue->napi.napi_id, PAGE_SIZE);
	if (err)
		return err;
	err = xdp_rxq_info_reg_mem_model(&queue->xdp_rxq, MEM_TYPE_PAGE_POOL,
					 queue->pool);
	if (err)
		return err;
	local_bh_disable();
	rx_refill(queue);
	local_bh_enable();
	return 0;
}

/**
 * xnl_rx_destroy - undo xnl_rx_create()
 * @queue: the queue; nobody polls, channels are unbound
 */
void xnl_rx_destroy(struct xnl_queue *queue)
{
	unsigned int i;

	cancel_delayed_work_sync(&queue->refill);
	for (i = 0; i < XNL_RING_SIZE; i++) {
		struct xnl_rx_buf *buf = &queue->rx_buf[i];

		if (buf->page)
			xnl_page_free_granted(queue, buf->page, buf->gref);
		else if (buf->gref != INVALID_GRANT_REF)
			gnttab_free_grant_reference(buf->gref);
	}
	if (xdp_rxq_info_is_reg(&queue->xdp_rxq))
		xdp_rxq_info_unreg(&queue->xdp_rxq);
	xenbus_teardown_ring((void **)&queue->rx.sring, 1,
			     &queue->rx_ring_gref);
}
