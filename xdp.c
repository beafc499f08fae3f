// SPDX-License-Identifier: GPL-2.0
/*
 * XDP: attaching a program, running it on what was received, and sending what
 * it or another device sends.
 *
 * A program wants room before the packet and behind it. With a program attached
 * the vif is negotiated anew, so that the backend leaves that headroom, computes
 * checksums and joins no segments. A packet that lacks the room all the same,
 * from a backend that offers no headroom or from before the new negotiation, has
 * its start copied into a page of its own; so programs run on any backend.
 *
 * Context: ndo_bpf under rtnl; xnl_xdp_receive() in NAPI; ndo_xdp_xmit in the
 * sending device's NAPI, under our transmit lock.
 */
#include <linux/bpf.h>
#include <linux/bpf_trace.h>
#include <linux/filter.h>

#include "xennet_lite.h"

/* Bytes of a packet in one page, with room before and behind them. */
#define XDP_LINEAR_MAX	(XNL_RX_BUILD_MAX - XDP_PACKET_HEADROOM)

/**
 * xnl_xdp_mtu_fits - can the program attached bear this MTU?
 * @vif: the vif
 * @mtu: the MTU
 *
 * One that knows no fragments needs each packet in one page. Under rtnl.
 */
bool xnl_xdp_mtu_fits(const struct xnl_vif *vif, unsigned int mtu)
{
	struct bpf_prog *prog = rtnl_dereference(vif->xdp_prog);

	return !prog || prog->aux->xdp_has_frags ||
	       mtu + ETH_HLEN + VLAN_HLEN <= XDP_LINEAR_MAX;
}

static int xdp_setup(struct xnl_vif *vif, struct netdev_bpf *bpf)
{
	struct net_device *netdev = vif->netdev;
	struct bpf_prog *old = rtnl_dereference(vif->xdp_prog);
	bool was = old;

	rcu_assign_pointer(vif->xdp_prog, bpf->prog);
	if (!xnl_xdp_mtu_fits(vif, netdev->mtu)) {
		rcu_assign_pointer(vif->xdp_prog, old);
		NL_SET_ERR_MSG_MOD(bpf->extack,
				   "MTU too large for a program without frags support (section xdp.frags)");
		return -EINVAL;
	}
	if (old)
		bpf_prog_put(old);
	if (was == !!bpf->prog)
		return 0;
	netdev_update_features(netdev);
	if (vif->queues)
		xnl_vif_renegotiate(vif, was ? "XDP program detached" :
					       "XDP program attached");
	return 0;
}

int xnl_bpf(struct net_device *netdev, struct netdev_bpf *bpf)
{
	switch (bpf->command) {
	case XDP_SETUP_PROG:
		return xdp_setup(netdev_priv(netdev), bpf);
	default:
		return -EINVAL;
	}
}

static void add_frag(struct xdp_buff *xdp, struct page *page,
		     unsigned int offset, unsigned int len)
{
	struct skb_shared_info *shinfo = xdp_get_shared_info_from_buff(xdp);

	if (!xdp_buff_has_frags(xdp)) {
		shinfo->nr_frags = 0;
		shinfo->xdp_frags_size = 0;
		xdp_buff_set_frags_flag(xdp);
	}
	skb_frag_fill_page_desc(&shinfo->frags[shinfo->nr_frags++], page,
				offset, len);
	shinfo->xdp_frags_size += len;
}

/*
 * Make an xdp_buff of a packet's pages, which it owns afterwards. The start is
 * copied where a page has no room for the program; false: no memory for that,
 * or more fragments than fit, and the pages are the caller's still.
 */
static bool make_buff(struct xnl_queue *queue, struct xdp_buff *xdp,
		      struct page **pages, const struct xnl_rx_packet *pkt)
{
	unsigned int offset = pkt->slot[0].offset;
	unsigned int len = pkt->slot[0].len;
	unsigned int copy, i;
	struct page *head;

	if (pkt->nr_data > MAX_SKB_FRAGS)
		return false;
	xdp_init_buff(xdp, PAGE_SIZE, &queue->xdp_rxq);
	if (offset >= XDP_PACKET_HEADROOM &&
	    offset + len <= XNL_RX_BUILD_MAX) {
		xdp_prepare_buff(xdp, page_address(pages[0]), offset, len,
				 true);
	} else {
		head = xnl_page_alloc(queue, GFP_ATOMIC | __GFP_NOWARN);
		if (!head)
			return false;
		copy = min_t(unsigned int, len, XDP_LINEAR_MAX);
		xdp_prepare_buff(xdp, page_address(head), XDP_PACKET_HEADROOM,
				 copy, true);
		memcpy(xdp->data, page_address(pages[0]) + offset, copy);
		if (copy < len)
			add_frag(xdp, pages[0], offset + copy, len - copy);
		else
			page_pool_recycle_direct(queue->pool, pages[0]);
	}
	for (i = 1; i < pkt->nr_data; i++)
		add_frag(xdp, pages[i], pkt->slot[i].offset, pkt->slot[i].len);
	return true;
}

/* The program let it pass: an skb around the same pages. */
static struct sk_buff *pass(struct xdp_buff *xdp)
{
	unsigned int meta = xdp->data - xdp->data_meta;
	unsigned int nr_frags = 0, size = 0;
	struct sk_buff *skb;

	if (xdp_buff_has_frags(xdp)) {
		nr_frags = xdp_get_shared_info_from_buff(xdp)->nr_frags;
		size = xdp_get_shared_info_from_buff(xdp)->xdp_frags_size;
	}
	skb = napi_build_skb(xdp->data_hard_start, PAGE_SIZE);
	if (!skb) {
		xdp_return_buff(xdp);
		return NULL;
	}
	skb_mark_for_recycle(skb);
	skb_reserve(skb, xdp->data - xdp->data_hard_start);
	__skb_put(skb, xdp->data_end - xdp->data);
	if (meta)
		skb_metadata_set(skb, meta);
	if (nr_frags)
		xdp_update_skb_shared_info(skb, nr_frags, size,
					   nr_frags * PAGE_SIZE,
					   xdp_buff_is_frag_pfmemalloc(xdp));
	if (!pskb_may_pull(skb, ETH_HLEN)) {
		kfree_skb(skb);
		return NULL;
	}
	return skb;
}

static bool send_back(struct xnl_queue *queue, struct xdp_buff *xdp,
		      bool csum_blank)
{
	struct net_device *netdev = queue->vif->netdev;
	struct xdp_frame *frame = xdp_convert_buff_to_frame(xdp);
	struct netdev_queue *txq;
	int err;

	if (!frame)
		return false;
	txq = netdev_get_tx_queue(netdev, queue->index);
	__netif_tx_lock(txq, smp_processor_id());
	txq_trans_cond_update(txq);
	err = xnl_tx_frame(queue, frame, csum_blank);
	__netif_tx_unlock(txq);
	queue->xdp_sent |= !err;
	return !err;
}

static void count(struct xnl_queue *queue, u64_stats_t *counter)
{
	u64_stats_update_begin(&queue->stats->rx.syncp);
	u64_stats_inc(counter);
	u64_stats_update_end(&queue->stats->rx.syncp);
}

static void drop(struct xnl_queue *queue, struct xdp_buff *xdp)
{
	xdp_return_buff(xdp);
	count(queue, &queue->stats->rx.xdp_drop);
}

static struct sk_buff *run(struct xnl_queue *queue, struct bpf_prog *prog,
			   struct xdp_buff *xdp,
			   const struct xnl_rx_packet *pkt)
{
	struct net_device *netdev = queue->vif->netdev;
	bool csum_blank = pkt->flags & XEN_NETRXF_csum_blank;
	u32 verdict = bpf_prog_run_xdp(prog, xdp);

	switch (verdict) {
	case XDP_PASS:
		return pass(xdp);
	case XDP_TX:
		if (pkt->gso_type || !send_back(queue, xdp, csum_blank))
			break;
		count(queue, &queue->stats->rx.xdp_tx);
		return NULL;
	case XDP_REDIRECT:
		/* Elsewhere nobody would fill in the checksum. */
		if (pkt->gso_type || csum_blank ||
		    xdp_do_redirect(netdev, xdp, prog))
			break;
		queue->xdp_redirected = true;
		count(queue, &queue->stats->rx.xdp_redirect);
		return NULL;
	default:
		bpf_warn_invalid_xdp_action(netdev, prog, verdict);
		fallthrough;
	case XDP_ABORTED:
		trace_xdp_exception(netdev, prog, verdict);
		fallthrough;
	case XDP_DROP:
		break;
	}
	drop(queue, xdp);
	return NULL;
}

/**
 * xnl_xdp_receive - run a program on a packet
 * @queue: the queue
 * @prog: the program
 * @pages: the packet's pages, one per data slot, their grants ended; consumed
 * @pkt: the packet, good
 *
 * Context: NAPI.
 * Return: an skb to deliver, or NULL where the packet went elsewhere.
 */
struct sk_buff *xnl_xdp_receive(struct xnl_queue *queue, struct bpf_prog *prog,
				struct page **pages,
				const struct xnl_rx_packet *pkt)
{
	struct xdp_buff xdp;
	unsigned int i;

	if (!make_buff(queue, &xdp, pages, pkt)) {
		for (i = 0; i < pkt->nr_data; i++)
			page_pool_recycle_direct(queue->pool, pages[i]);
		count(queue, &queue->stats->rx.xdp_drop);
		return NULL;
	}
	if (unlikely(xdp_buff_has_frags(&xdp) && !prog->aux->xdp_has_frags)) {
		drop(queue, &xdp);
		return NULL;
	}
	return run(queue, prog, &xdp, pkt);
}

/**
 * xnl_xdp_flush - one doorbell for all that a poll's programs sent
 * @queue: the queue
 */
void xnl_xdp_flush(struct xnl_queue *queue)
{
	struct netdev_queue *txq;

	if (queue->xdp_redirected) {
		queue->xdp_redirected = false;
		xdp_do_flush();
	}
	if (queue->xdp_sent) {
		queue->xdp_sent = false;
		txq = netdev_get_tx_queue(queue->vif->netdev, queue->index);
		__netif_tx_lock(txq, smp_processor_id());
		xnl_tx_flush(queue);
		__netif_tx_unlock(txq);
	}
}

/**
 * xnl_xdp_xmit - another device redirects frames to us
 * @netdev: our net_device
 * @num: how many
 * @frames: the frames; those not sent stay the caller's
 * @flags: XDP_XMIT_FLUSH
 *
 * Return: how many were sent, or a negative errno.
 */
int xnl_xdp_xmit(struct net_device *netdev, int num, struct xdp_frame **frames,
		 u32 flags)
{
	unsigned int cpu = smp_processor_id();
	struct xnl_vif *vif = netdev_priv(netdev);
	struct netdev_queue *txq;
	struct xnl_queue *queue;
	int sent;

	if (unlikely(flags & ~XDP_XMIT_FLAGS_MASK))
		return -EINVAL;
	queue = READ_ONCE(vif->queues);
	if (unlikely(!queue || !netif_carrier_ok(netdev)))
		return -ENETDOWN;
	queue += cpu % READ_ONCE(vif->num_queues);
	txq = netdev_get_tx_queue(netdev, queue->index);

	__netif_tx_lock(txq, cpu);
	if (unlikely(netif_xmit_stopped(txq))) {
		__netif_tx_unlock(txq);
		return 0;
	}
	txq_trans_cond_update(txq);
	for (sent = 0; sent < num; sent++)
		if (xnl_tx_frame(queue, frames[sent], false))
			break;
	if (flags & XDP_XMIT_FLUSH)
		xnl_tx_flush(queue);
	__netif_tx_unlock(txq);
	return sent;
}
