/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Linux 6.8 (27f91aaf49b3, "netdev-genl: Add netlink framework functions for
 * napi") ties queues to NAPIs, 6.10 (ab63a2387cb9, "netdev: add per-queue
 * statistics") reports their statistics. Can go with support for 6.1.
 */
#ifndef XNL_COMPAT_NET_NETDEV_QUEUES_H
#define XNL_COMPAT_NET_NETDEV_QUEUES_H
#include <linux/netdevice.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)
#include_next <net/netdev_queues.h>
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 8, 0)
#define netif_queue_set_napi(netdev, index, type, napi) \
	((void)(netdev), (void)(napi))
#endif

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 10, 0)
#define netdev_set_stat_ops(netdev, ops)	((netdev)->stat_ops = (ops))
#else
#define netdev_set_stat_ops(netdev, ops)	((void)(netdev), (void)(ops))

struct netdev_queue_stats_rx {
	u64 bytes;
	u64 packets;
};

struct netdev_queue_stats_tx {
	u64 bytes;
	u64 packets;
};

struct netdev_stat_ops {
	void (*get_queue_stats_rx)(struct net_device *netdev, int index,
				   struct netdev_queue_stats_rx *stats);
	void (*get_queue_stats_tx)(struct net_device *netdev, int index,
				   struct netdev_queue_stats_tx *stats);
	void (*get_base_stats)(struct net_device *netdev,
			       struct netdev_queue_stats_rx *rx,
			       struct netdev_queue_stats_tx *tx);
};
#endif
#endif
