// SPDX-License-Identifier: GPL-2.0
/*
 * The net_device: its operations, features, MTU, carrier and statistics, and
 * how a set of queues is put behind it and taken away again. Knows no xenstore
 * key; xenbus.c says when.
 *
 * Context: process, under rtnl, but for the transmit hooks (tx.c) and the
 * statistics (any context).
 */
#include <linux/delay.h>
#include <linux/rtnetlink.h>
#include <net/sch_generic.h>

#include "xennet_lite.h"

static void start_polling(struct xnl_vif *vif)
{
	unsigned int i;

	for (i = 0; i < vif->num_queues; i++)
		napi_enable(&vif->queues[i].napi);
	vif->polling = true;
	xnl_queues_spread(vif);
	for (i = 0; i < vif->num_queues; i++)
		xnl_queue_kick(&vif->queues[i]);
}

/* Before the transmit queues are stopped, since a poll would wake them. */
static void stop_polling(struct xnl_vif *vif)
{
	unsigned int i;

	if (!vif->polling)
		return;
	vif->polling = false;
	xnl_queues_gather(vif);
	for (i = 0; i < vif->num_queues; i++)
		napi_disable(&vif->queues[i].napi);
}

static int xnl_open(struct net_device *netdev)
{
	struct xnl_vif *vif = netdev_priv(netdev);

	if (vif->queues) {
		start_polling(vif);
		netif_tx_start_all_queues(netdev);
	} else {
		netif_tx_stop_all_queues(netdev);
	}
	return 0;
}

/*
 * What was sent is freed by answers, which nobody looks at once polling has stopped:
 * wait for them for a moment, as senders and their namespaces wait for their skbs.
 */
static void drain(struct xnl_vif *vif)
{
	unsigned long deadline = jiffies + XNL_DRAIN_TIMEOUT;
	unsigned int i;

	for (i = 0; i < vif->num_queues && vif->polling; i++) {
		while (xnl_tx_awaited(&vif->queues[i]) &&
		       time_before(jiffies, deadline)) {
			xnl_queue_kick(&vif->queues[i]);
			usleep_range(500, 1000);
		}
	}
}

static int xnl_stop(struct net_device *netdev)
{
	struct xnl_vif *vif = netdev_priv(netdev);

	drain(vif);
	stop_polling(vif);
	netif_tx_disable(netdev);
	return 0;
}

static netdev_features_t xnl_fix_features(struct net_device *netdev,
					  netdev_features_t features)
{
	struct xnl_vif *vif = netdev_priv(netdev);
	const struct xnl_backend *backend = &vif->backend;

	if (!backend->sg)
		features &= ~NETIF_F_SG;
	if (!backend->ipv6_csum)
		features &= ~NETIF_F_IPV6_CSUM;
	if (backend->no_csum)
		features &= ~NETIF_F_IP_CSUM;
	if (!backend->gso_tcpv4)
		features &= ~NETIF_F_TSO;
	if (!backend->gso_tcpv6)
		features &= ~NETIF_F_TSO6;
	/* A program sees packets as they are on a wire (xdp.c). */
	if (rtnl_dereference(vif->xdp_prog))
		features &= ~(NETIF_F_RXCSUM | NETIF_F_GRO_HW);
	return features;
}

/* What we accept on receive is said once per connection: connect anew. */
static int xnl_set_features(struct net_device *netdev,
			    netdev_features_t features)
{
	struct xnl_vif *vif = netdev_priv(netdev);

	if ((features ^ netdev->features) & (NETIF_F_RXCSUM | NETIF_F_GRO_HW) &&
	    vif->queues)
		xnl_vif_renegotiate(vif, "receive offloads switched");
	return 0;
}

static void xnl_get_stats64(struct net_device *netdev,
			    struct rtnl_link_stats64 *total)
{
	struct xnl_vif *vif = netdev_priv(netdev);
	u64 packets, bytes, dropped, errors, tx_errors;
	unsigned int i, start;

	for (i = 0; i < vif->max_queues; i++) {
		struct xnl_queue_stats *stats = &vif->stats[i];

		do {
			start = u64_stats_fetch_begin(&stats->tx.syncp);
			packets = u64_stats_read(&stats->tx.packets);
			bytes = u64_stats_read(&stats->tx.bytes);
			dropped = u64_stats_read(&stats->tx.dropped);
		} while (u64_stats_fetch_retry(&stats->tx.syncp, start));
		total->tx_packets += packets;
		total->tx_bytes += bytes;
		total->tx_dropped += dropped;

		do {
			start = u64_stats_fetch_begin(&stats->rx.syncp);
			packets = u64_stats_read(&stats->rx.packets);
			bytes = u64_stats_read(&stats->rx.bytes);
			dropped = u64_stats_read(&stats->rx.dropped);
			errors = u64_stats_read(&stats->rx.errors);
			tx_errors = u64_stats_read(&stats->rx.tx_errors);
		} while (u64_stats_fetch_retry(&stats->rx.syncp, start));
		total->rx_packets += packets;
		total->rx_bytes += bytes;
		total->rx_dropped += dropped;
		total->rx_errors += errors;
		total->tx_errors += tx_errors;
	}
}

static void xnl_tx_timeout(struct net_device *netdev, unsigned int txqueue)
{
	struct xnl_vif *vif = netdev_priv(netdev);
	struct xnl_queue *queue = &vif->queues[txqueue];

	dev_warn(&vif->xdev->dev,
		 "queue %u: nothing sent for %d s (%u requests unanswered, %s)\n",
		 txqueue, netdev->watchdog_timeo / HZ,
		 queue->tx.req_prod_pvt - queue->tx.rsp_cons,
		 queue->tx.sring->rsp_prod == queue->tx.rsp_cons ?
		 "the backend is silent" : "answers wait");
	xnl_vif_reconnect(vif, "transmit timeout");
}

static int xnl_change_mtu(struct net_device *netdev, int mtu)
{
	struct xnl_vif *vif = netdev_priv(netdev);

	if (!xnl_xdp_mtu_fits(vif, mtu)) {
		netdev_warn(netdev,
			    "MTU %d is too large for the XDP program attached, which has no frags support\n",
			    mtu);
		return -EINVAL;
	}
	WRITE_ONCE(netdev->mtu, mtu);
	return 0;
}

static const struct net_device_ops xnl_netdev_ops = {
	.ndo_open		= xnl_open,
	.ndo_stop		= xnl_stop,
	.ndo_start_xmit		= xnl_start_xmit,
	.ndo_features_check	= xnl_features_check,
	.ndo_fix_features	= xnl_fix_features,
	.ndo_set_features	= xnl_set_features,
	.ndo_get_stats64	= xnl_get_stats64,
	.ndo_tx_timeout		= xnl_tx_timeout,
	.ndo_set_mac_address	= eth_mac_addr,
	.ndo_validate_addr	= eth_validate_addr,
	.ndo_change_mtu		= xnl_change_mtu,
	.ndo_bpf		= xnl_bpf,
	.ndo_xdp_xmit		= xnl_xdp_xmit,
};

/**
 * xnl_netdev_create - allocate a vif with its net_device, not registered
 * @xdev: the xenbus device
 * @max_queues: the most queues it will ever have, at least 1
 *
 * Return: the vif, to be freed by free_netdev(), or NULL on no memory.
 */
struct xnl_vif *xnl_netdev_create(struct xenbus_device *xdev,
				  unsigned int max_queues)
{
	struct net_device *netdev;
	struct xnl_vif *vif;
	unsigned int i;

	netdev = alloc_etherdev_mq(struct_size(vif, stats, max_queues),
				   max_queues);
	if (!netdev)
		return NULL;
	SET_NETDEV_DEV(netdev, &xdev->dev);
	netdev->netdev_ops = &xnl_netdev_ops;
	netdev->ethtool_ops = &xnl_ethtool_ops;
	netdev_set_stat_ops(netdev, &xnl_stat_ops);
	netdev->hw_features = NETIF_F_SG | NETIF_F_IP_CSUM | NETIF_F_IPV6_CSUM |
			      NETIF_F_TSO | NETIF_F_TSO6 | NETIF_F_RXCSUM |
			      NETIF_F_GRO_HW;
	netdev->features = netdev->hw_features;
	netdev->min_mtu = ETH_MIN_MTU;
	netdev->max_mtu = ETH_DATA_LEN;
	netdev->watchdog_timeo = 10 * HZ;
	xdp_set_features_flag(netdev, NETDEV_XDP_ACT_BASIC |
				      NETDEV_XDP_ACT_REDIRECT |
				      NETDEV_XDP_ACT_NDO_XMIT |
				      NETDEV_XDP_ACT_RX_SG |
				      NETDEV_XDP_ACT_NDO_XMIT_SG);
	netif_set_tso_max_size(netdev, XNL_TSO_MAX);
	netif_carrier_off(netdev);

	vif = netdev_priv(netdev);
	vif->xdev = xdev;
	vif->netdev = netdev;
	vif->max_queues = max_queues;
	vif->want_queues = max_queues;
	vif->rx_pending = XNL_RX_TARGET_MAX;
	vif->rx_copybreak = XNL_RX_COPYBREAK;
	vif->tx_copybreak = 1U << XNL_BOUNCE_SHIFT;
	vif->tx_frames = XNL_TX_FRAMES;
	for (i = 0; i < max_queues; i++) {
		u64_stats_init(&vif->stats[i].tx.syncp);
		u64_stats_init(&vif->stats[i].rx.syncp);
	}
	return vif;
}

/**
 * xnl_netdev_attach - put queues behind the net_device
 * @vif: the vif, without queues
 * @queues: from xnl_queues_create()
 * @num_queues: how many, at most &xnl_vif.max_queues
 *
 * Features and MTU follow the backend's. The carrier is not touched.
 *
 * Context: process, takes rtnl.
 */
void xnl_netdev_attach(struct xnl_vif *vif, struct xnl_queue *queues,
		       unsigned int num_queues)
{
	struct net_device *netdev = vif->netdev;

	rtnl_lock();
	vif->queues = queues;
	vif->num_queues = num_queues;
	netif_set_real_num_tx_queues(netdev, num_queues);
	netif_set_real_num_rx_queues(netdev, num_queues);
	netdev->max_mtu = vif->backend.sg ? XNL_MAX_MTU : ETH_DATA_LEN;
	if (netdev->reg_state != NETREG_REGISTERED) {
		netdev->mtu = min(netdev->mtu, netdev->max_mtu);
	} else {
		if (netdev->mtu > netdev->max_mtu)
			dev_set_mtu(netdev, netdev->max_mtu);
		netdev_update_features(netdev);
	}
	if (!xnl_vif_terms_hold(vif))
		xnl_vif_renegotiate(vif, "settings changed meanwhile");
	if (netif_running(netdev)) {
		start_polling(vif);
		netif_tx_wake_all_queues(netdev);
	}
	rtnl_unlock();
}

/**
 * xnl_netdev_detach - take the queues away: nobody sends or polls any more
 * @vif: the vif
 * @num_queues: set to how many there were
 *
 * Context: process, takes rtnl. Bounded: NAPI of a broken queue completes too.
 * Return: the queues, for xnl_queues_destroy(); NULL where there were none.
 */
struct xnl_queue *xnl_netdev_detach(struct xnl_vif *vif,
				    unsigned int *num_queues)
{
	struct net_device *netdev = vif->netdev;
	struct xnl_queue *queues;
	unsigned int i;

	rtnl_lock();
	netif_carrier_off(netdev);
	queues = vif->queues;
	*num_queues = vif->num_queues;
	if (queues) {
		stop_polling(vif);
		netif_tx_disable(netdev);
		WRITE_ONCE(vif->queues, NULL);
		/* xnl_features_check() and xnl_xdp_xmit() may still look. */
		synchronize_net();
		for (i = 0; i < *num_queues; i++)
			netdev_tx_reset_queue(netdev_get_tx_queue(netdev, i));
	}
	rtnl_unlock();
	return queues;
}

static void send_again(struct xnl_vif *vif)
{
	struct sk_buff *skb;

	while ((skb = __skb_dequeue(&vif->requeue)))
		dev_queue_xmit(skb);
}

/**
 * xnl_netdev_carrier - the backend is Connected, or says its link is down
 * @vif: the vif
 * @up: the link's state
 *
 * The first call registers the net_device. What the last backend had not
 * acknowledged is sent again, and the neighbours are told where we are.
 *
 * Context: process, takes rtnl.
 * Return: 0, or what register_netdev() said.
 */
int xnl_netdev_carrier(struct xnl_vif *vif, bool up)
{
	struct net_device *netdev = vif->netdev;
	bool anew = netdev->reg_state == NETREG_REGISTERED;
	int err;

	if (!anew) {
		err = register_netdev(netdev);
		if (err)
			return err;
	}
	if (!up) {
		netif_carrier_off(netdev);
		return 0;
	}
	rtnl_lock();
	netif_carrier_on(netdev);
	/* Else all that is sent is dropped until linkwatch's work has run. */
	if (netif_running(netdev))
		dev_activate(netdev);
	rtnl_unlock();
	if (anew) {
		send_again(vif);
		netdev_notify_peers(netdev);
	}
	return 0;
}
