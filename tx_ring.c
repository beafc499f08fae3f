// SPDX-License-Identifier: GPL-2.0
/*
 * What a transmit ring is made of: its page, a grant reference for each id, the
 * bounce pages, which stay granted; and how all of it ends, also while a backend
 * still maps some of it. What goes over the ring is tx.c's.
 *
 * Context: process. Nobody sends, nobody polls.
 */
#include <linux/delay.h>
#include <xen/page.h>

#include "xennet_lite.h"

/* Ids that share a bounce page. */
static unsigned int ids_per_page(const struct xnl_queue *queue)
{
	return 1U << (XEN_PAGE_SHIFT - queue->vif->bounce_shift);
}

static int bounce_create(struct xnl_queue *queue)
{
	struct xenbus_device *xdev = queue->vif->xdev;
	unsigned int per_page = ids_per_page(queue), id, i;
	struct page *page;
	int gref;

	for (id = 0; id < XNL_RING_SIZE; id += per_page) {
		page = xnl_page_alloc(queue, GFP_KERNEL);
		if (!page)
			return -ENOMEM;
		clear_page(page_address(page));
		gref = gnttab_grant_foreign_access(xdev->otherend_id,
						   xen_page_to_gfn(page), 1);
		if (gref < 0) {
			page_pool_put_full_page(queue->pool, page, false);
			return gref;
		}
		for (i = 0; i < per_page; i++) {
			struct xnl_tx_slot *slot = &queue->tx_slot[id + i];

			slot->bounce = page_address(page) +
				       (i << queue->vif->bounce_shift);
			slot->bounce_gref = gref;
		}
	}
	return 0;
}

static void bounce_destroy(struct xnl_queue *queue)
{
	unsigned int id;

	for (id = 0; id < XNL_RING_SIZE; id += ids_per_page(queue)) {
		struct xnl_tx_slot *slot = &queue->tx_slot[id];

		if (slot->bounce)
			xnl_page_free_granted(queue, virt_to_page(slot->bounce),
					      slot->bounce_gref);
	}
}

/**
 * xnl_tx_create - the transmit ring, its grant references and bounce pages
 * @queue: the queue with its pages, its vif's features and trust known
 *
 * Return: 0 or a negative errno; xnl_tx_destroy() undoes a half made one too.
 */
int xnl_tx_create(struct xnl_queue *queue)
{
	struct xen_netif_tx_sring *sring;
	grant_ref_t refs;
	unsigned int i;
	int err;

	queue->tx_ring_gref = INVALID_GRANT_REF;
	for (i = 0; i < XNL_RING_SIZE; i++)
		queue->tx_slot[i].gref = INVALID_GRANT_REF;
	xnl_tx_ids_init(&queue->tx_ids);

	err = xenbus_setup_ring(queue->vif->xdev, GFP_KERNEL, (void **)&sring,
				1, &queue->tx_ring_gref);
	if (err)
		return err;
	SHARED_RING_INIT(sring);
	FRONT_RING_INIT(&queue->tx, sring, XEN_PAGE_SIZE);

	err = bounce_create(queue);
	if (err)
		return err;
	err = gnttab_alloc_grant_references(XNL_RING_SIZE, &refs);
	if (err)
		return err;
	for (i = 0; i < XNL_RING_SIZE; i++)
		queue->tx_slot[i].gref = gnttab_claim_grant_reference(&refs);
	return 0;
}

/* Ends the grant of one id, if the backend lets go of it. */
static bool tx_end_grant(struct xnl_queue *queue, unsigned int id)
{
	grant_ref_t gref = queue->tx_slot[id].gref;

	if (gref == INVALID_GRANT_REF)
		return true;
	if (queue->tx_ids.id[id].state != XNL_TX_GRANTED)
		gnttab_free_grant_reference(gref);
	else if (!gnttab_try_end_foreign_access(gref))
		return false;
	queue->tx_slot[id].gref = INVALID_GRANT_REF;
	return true;
}

/*
 * End all grants; a backend that is closing may need a moment to let go. What
 * it still maps then is marked in @held by the id of the packet's first slot.
 */
static unsigned int tx_end_grants(struct xnl_queue *queue, unsigned long *held)
{
	unsigned long deadline = jiffies + XNL_UNMAP_TIMEOUT;
	unsigned int i, kept;

	for (;;) {
		bool last = time_after(jiffies, deadline);

		for (i = 0, kept = 0; i < XNL_RING_SIZE; i++)
			kept += !tx_end_grant(queue, i);
		if (!kept || last)
			break;
		msleep(20);
	}
	for (i = 0; i < XNL_RING_SIZE; i++) {
		if (queue->tx_slot[i].gref == INVALID_GRANT_REF)
			continue;
		gnttab_end_foreign_access(queue->tx_slot[i].gref, NULL);
		__set_bit(queue->tx_ids.id[i].head, held);
	}
	return kept;
}

/* The packet sent first among those not acknowledged; not one that is held. */
static void *tx_take_oldest(struct xnl_queue *queue,
			    const unsigned long *held)
{
	struct xnl_tx_slot *oldest = NULL;
	void *owner;
	unsigned int i;

	for (i = 0; i < XNL_RING_SIZE; i++) {
		struct xnl_tx_slot *slot = &queue->tx_slot[i];

		if (!slot->owner || test_bit(i, held))
			continue;
		if (!oldest || (s32)(slot->seq - oldest->seq) < 0)
			oldest = slot;
	}
	if (!oldest)
		return NULL;
	owner = oldest->owner;
	oldest->owner = NULL;
	return owner;
}

/**
 * xnl_tx_destroy - undo xnl_tx_create()
 * @queue: the queue; nobody sends, nobody polls, channels are unbound
 * @requeue: takes the packets that were not acknowledged; NULL frees them
 *
 * A packet that the backend still maps is neither freed nor sent again: its
 * memory is given up rather than shown to the backend with another's content.
 */
void xnl_tx_destroy(struct xnl_queue *queue, struct sk_buff_head *requeue)
{
	DECLARE_BITMAP(held, XNL_RING_SIZE) = {};
	unsigned int kept;
	void *owner;

	/* What was laid on slots but never pushed is granted all the same. */
	xnl_tx_ids_send(&queue->tx_ids);
	kept = tx_end_grants(queue, held);
	if (kept)
		dev_warn(&queue->vif->xdev->dev,
			 "queue %u: the backend still maps %u transmit pages; they are not reused\n",
			 queue->index, kept);

	while ((owner = tx_take_oldest(queue, held))) {
		if (xnl_is_frame(owner))
			xdp_return_frame(xnl_owner_frame(owner));
		else if (requeue)
			__skb_queue_tail(requeue, owner);
		else
			dev_kfree_skb(owner);
	}

	bounce_destroy(queue);
	xenbus_teardown_ring((void **)&queue->tx.sring, 1,
			     &queue->tx_ring_gref);
}
