// SPDX-License-Identifier: GPL-2.0
/*
 * The pages of a queue: one page pool for receive buffers, the parts of pages that
 * short packets are copied to, and bounce pages. Owns how a page that was granted
 * goes back, whatever the backend does with it.
 */
#include <xen/grant_table.h>

#include "xennet_lite.h"

/**
 * xnl_pages_create - the queue's pool, empty
 * @queue: the queue
 *
 * Return: 0 or a negative errno.
 */
int xnl_pages_create(struct xnl_queue *queue)
{
	struct page_pool_params params = {
		.flags = PP_FLAG_PAGE_FRAG,
		.pool_size = XNL_RING_SIZE,
		.nid = NUMA_NO_NODE,
		.dev = &queue->vif->xdev->dev,
	};
	struct page_pool *pool = page_pool_create(&params);

	if (IS_ERR(pool))
		return PTR_ERR(pool);
	queue->pool = pool;
	return 0;
}

/* Pages that are still elsewhere go back to the system when they return. */
void xnl_pages_destroy(struct xnl_queue *queue)
{
	page_pool_destroy(queue->pool);
}

/**
 * xnl_page_alloc - a page of the queue's pool, whole
 * @queue: the queue
 * @gfp: for what the pool has to allocate
 *
 * Context: NAPI, or process context while NAPI is not enabled.
 * Return: the page, its content anything; or NULL.
 */
struct page *xnl_page_alloc(struct xnl_queue *queue, gfp_t gfp)
{
	struct page *page = page_pool_alloc_pages(queue->pool, gfp);

	/* Of this pool parts are taken too: this one has one user. */
	if (likely(page))
		page_pool_fragment_page(page, 1);
	return page;
}

/**
 * xnl_page_free_granted - end a page's grant and give it back to the pool
 * @queue: the queue
 * @page: a page of its pool
 * @gref: its grant
 *
 * A page that the backend still maps keeps a reference of its grant's and is
 * thus never reused; the pool lets go of it.
 *
 * Context: process.
 */
void xnl_page_free_granted(struct xnl_queue *queue, struct page *page,
			   grant_ref_t gref)
{
	get_page(page);
	gnttab_end_foreign_access(gref, page);
	page_pool_put_full_page(queue->pool, page, false);
}
