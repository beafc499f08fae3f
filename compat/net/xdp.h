/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Linux 6.3 (66c0e13ad236, "drivers: net: turn on XDP features") has drivers
 * say what they can. Can go with support for 6.1.
 */
#ifndef XNL_COMPAT_NET_XDP_H
#define XNL_COMPAT_NET_XDP_H
#include_next <net/xdp.h>
#include <linux/version.h>
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
#define NETDEV_XDP_ACT_BASIC		0
#define NETDEV_XDP_ACT_REDIRECT		0
#define NETDEV_XDP_ACT_NDO_XMIT		0
#define NETDEV_XDP_ACT_RX_SG		0
#define NETDEV_XDP_ACT_NDO_XMIT_SG	0
#define xdp_set_features_flag(netdev, flags) do { } while (0)
#endif
#endif
