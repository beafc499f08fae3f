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

const struct ethtool_ops xnl_ethtool_ops = {
	.get_drvinfo		= get_drvinfo,
	.get_link		= ethtool_op_get_link,
	.get_ts_info		= ethtool_op_get_ts_info,
	.get_sset_count		= get_sset_count,
	.get_strings		= get_strings,
	.get_ethtool_stats	= get_stats,
};
