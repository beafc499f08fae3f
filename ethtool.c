// SPDX-License-Identifier: GPL-2.0
/*
 * What ethtool asks and sets. Statistics are per queue and named like the
 * kernel's own, tx_queue_N_packets and so on.
 *
 * Context: process, under rtnl.
 */
#include <linux/ethtool.h>

#include "xennet_lite.h"

struct stat_desc {
	const char *name;
	size_t offset;
};

#define QUEUE_STAT(side, field) { \
	#side "_queue_%u_" #field, offsetof(struct xnl_queue_stats, side.field) \
}

static const struct stat_desc queue_stats[] = {
	QUEUE_STAT(tx, packets),
	QUEUE_STAT(tx, bytes),
	QUEUE_STAT(tx, dropped),
	QUEUE_STAT(tx, doorbells),
	QUEUE_STAT(tx, xdp),
	QUEUE_STAT(rx, packets),
	QUEUE_STAT(rx, bytes),
	QUEUE_STAT(rx, dropped),
	QUEUE_STAT(rx, errors),
	QUEUE_STAT(rx, csum_fixup),
	QUEUE_STAT(rx, gro_skipped),
	QUEUE_STAT(rx, xdp_drop),
	QUEUE_STAT(rx, xdp_tx),
	QUEUE_STAT(rx, xdp_redirect),
	QUEUE_STAT(rx, interrupts),
};

static void get_drvinfo(struct net_device *netdev,
			struct ethtool_drvinfo *info)
{
	struct xnl_vif *vif = netdev_priv(netdev);

	strscpy(info->driver, XNL_NAME, sizeof(info->driver));
	strscpy(info->version, XNL_VERSION, sizeof(info->version));
	strscpy(info->bus_info, dev_name(&vif->xdev->dev),
		sizeof(info->bus_info));
}

static int get_sset_count(struct net_device *netdev, int sset)
{
	struct xnl_vif *vif = netdev_priv(netdev);

	if (sset != ETH_SS_STATS)
		return -EOPNOTSUPP;
	return vif->max_queues * ARRAY_SIZE(queue_stats);
}

static void get_strings(struct net_device *netdev, u32 sset, u8 *data)
{
	struct xnl_vif *vif = netdev_priv(netdev);
	unsigned int q, i;

	if (sset != ETH_SS_STATS)
		return;
	for (q = 0; q < vif->max_queues; q++)
		for (i = 0; i < ARRAY_SIZE(queue_stats); i++)
			ethtool_sprintf(&data, queue_stats[i].name, q);
}

static void get_stats(struct net_device *netdev, struct ethtool_stats *unused,
		      u64 *data)
{
	struct xnl_vif *vif = netdev_priv(netdev);
	unsigned int q, i;

	for (q = 0; q < vif->max_queues; q++)
		for (i = 0; i < ARRAY_SIZE(queue_stats); i++) {
			void *field = (void *)&vif->stats[q] +
				      queue_stats[i].offset;

			*data++ = u64_stats_read((u64_stats_t *)field);
		}
}

static void get_channels(struct net_device *netdev,
			 struct ethtool_channels *channels)
{
	struct xnl_vif *vif = netdev_priv(netdev);

	channels->max_combined = clamp(vif->backend.max_queues, 1U,
				       vif->max_queues);
	channels->combined_count = vif->num_queues;
}

static int set_channels(struct net_device *netdev,
			struct ethtool_channels *channels)
{
	struct xnl_vif *vif = netdev_priv(netdev);

	/* The core has checked the bounds of get_channels(). */
	if (!channels->combined_count)
		return -EINVAL;
	WRITE_ONCE(vif->want_queues, channels->combined_count);
	if (vif->queues && channels->combined_count != vif->num_queues)
		xnl_vif_renegotiate(vif, "number of queues changed");
	return 0;
}

static void get_ringparam(struct net_device *netdev,
			  struct ethtool_ringparam *ring,
			  struct kernel_ethtool_ringparam *kernel_ring,
			  struct netlink_ext_ack *extack)
{
	struct xnl_vif *vif = netdev_priv(netdev);

	ring->rx_max_pending = XNL_RX_TARGET_MAX;
	ring->tx_max_pending = XNL_RING_SIZE;
	ring->rx_pending = vif->rx_pending;
	ring->tx_pending = XNL_RING_SIZE;
}

/* Takes effect as the receive target grows; what is posted stays posted. */
static int set_ringparam(struct net_device *netdev,
			 struct ethtool_ringparam *ring,
			 struct kernel_ethtool_ringparam *kernel_ring,
			 struct netlink_ext_ack *extack)
{
	struct xnl_vif *vif = netdev_priv(netdev);

	if (ring->tx_pending != XNL_RING_SIZE) {
		NL_SET_ERR_MSG_MOD(extack, "a transmit ring is one page: 256");
		return -EINVAL;
	}
	if (ring->rx_pending < XNL_RX_TARGET_MIN) {
		NL_SET_ERR_MSG_MOD(extack, "rx must be from 32 to 256");
		return -EINVAL;
	}
	WRITE_ONCE(vif->rx_pending, ring->rx_pending);
	return 0;
}

static int get_coalesce(struct net_device *netdev, struct ethtool_coalesce *ec,
			struct kernel_ethtool_coalesce *kernel_ec,
			struct netlink_ext_ack *extack)
{
	struct xnl_vif *vif = netdev_priv(netdev);

	ec->tx_max_coalesced_frames = vif->tx_frames;
	return 0;
}

static int set_coalesce(struct net_device *netdev, struct ethtool_coalesce *ec,
			struct kernel_ethtool_coalesce *kernel_ec,
			struct netlink_ext_ack *extack)
{
	struct xnl_vif *vif = netdev_priv(netdev);

	if (!ec->tx_max_coalesced_frames ||
	    ec->tx_max_coalesced_frames > XNL_RING_SIZE) {
		NL_SET_ERR_MSG_MOD(extack, "tx-frames must be from 1 to 256");
		return -EINVAL;
	}
	WRITE_ONCE(vif->tx_frames, ec->tx_max_coalesced_frames);
	return 0;
}

static int get_tunable(struct net_device *netdev,
		       const struct ethtool_tunable *tunable, void *data)
{
	struct xnl_vif *vif = netdev_priv(netdev);

	switch (tunable->id) {
	case ETHTOOL_RX_COPYBREAK:
		*(u32 *)data = vif->rx_copybreak;
		return 0;
	case ETHTOOL_TX_COPYBREAK:
		*(u32 *)data = vif->tx_copybreak;
		return 0;
	default:
		return -EOPNOTSUPP;
	}
}

static int set_tunable(struct net_device *netdev,
		       const struct ethtool_tunable *tunable, const void *data)
{
	struct xnl_vif *vif = netdev_priv(netdev);
	u32 value = *(u32 *)data;

	switch (tunable->id) {
	case ETHTOOL_RX_COPYBREAK:
		if (value > XNL_RX_COPYBREAK_MAX)
			return -EINVAL;
		WRITE_ONCE(vif->rx_copybreak, value);
		return 0;
	case ETHTOOL_TX_COPYBREAK:
		if (value > 1U << XNL_BOUNCE_SHIFT)
			return -EINVAL;
		WRITE_ONCE(vif->tx_copybreak, value);
		return 0;
	default:
		return -EOPNOTSUPP;
	}
}

/* Per-queue statistics over netlink; see get_stats() for 32-bit reads. */
static void get_queue_stats_rx(struct net_device *netdev, int index,
			       struct netdev_queue_stats_rx *rx)
{
	struct xnl_vif *vif = netdev_priv(netdev);

	rx->packets = u64_stats_read(&vif->stats[index].rx.packets);
	rx->bytes = u64_stats_read(&vif->stats[index].rx.bytes);
}

static void get_queue_stats_tx(struct net_device *netdev, int index,
			       struct netdev_queue_stats_tx *tx)
{
	struct xnl_vif *vif = netdev_priv(netdev);

	tx->packets = u64_stats_read(&vif->stats[index].tx.packets);
	tx->bytes = u64_stats_read(&vif->stats[index].tx.bytes);
}

/* What queues counted that are not in use now. */
static void get_base_stats(struct net_device *netdev,
			   struct netdev_queue_stats_rx *rx,
			   struct netdev_queue_stats_tx *tx)
{
	struct xnl_vif *vif = netdev_priv(netdev);
	unsigned int i;

	rx->packets = 0;
	rx->bytes = 0;
	tx->packets = 0;
	tx->bytes = 0;
	for (i = netdev->real_num_rx_queues; i < vif->max_queues; i++) {
		rx->packets += u64_stats_read(&vif->stats[i].rx.packets);
		rx->bytes += u64_stats_read(&vif->stats[i].rx.bytes);
		tx->packets += u64_stats_read(&vif->stats[i].tx.packets);
		tx->bytes += u64_stats_read(&vif->stats[i].tx.bytes);
	}
}

const struct netdev_stat_ops xnl_stat_ops = {
	.get_queue_stats_rx	= get_queue_stats_rx,
	.get_queue_stats_tx	= get_queue_stats_tx,
	.get_base_stats		= get_base_stats,
};

const struct ethtool_ops xnl_ethtool_ops = {
	.supported_coalesce_params = ETHTOOL_COALESCE_TX_MAX_FRAMES,
	.get_drvinfo		= get_drvinfo,
	.get_link		= ethtool_op_get_link,
	.get_ts_info		= ethtool_op_get_ts_info,
	.get_sset_count		= get_sset_count,
	.get_strings		= get_strings,
	.get_ethtool_stats	= get_stats,
	.get_channels		= get_channels,
	.set_channels		= set_channels,
	.get_ringparam		= get_ringparam,
	.set_ringparam		= set_ringparam,
	.get_coalesce		= get_coalesce,
	.set_coalesce		= set_coalesce,
	.get_tunable		= get_tunable,
	.set_tunable		= set_tunable,
};
