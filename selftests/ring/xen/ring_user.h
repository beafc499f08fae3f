/* SPDX-License-Identifier: GPL-2.0 */
/* ring.h in user space, on Xen's public headers, under the kernel's names. */
#ifndef RING_USER_H
#define RING_USER_H

#include "../user.h"

#define RING_HEADERS "Xen's public headers"
#define __XEN_TOOLS__

#include <xen/xen-compat.h>
#include <xen/grant_table.h>

/* Up to Xen 4.17 the header lacks the XDP extra info, a member beside mcast. */
#define mcast mcast; struct { uint16_t headroom; uint16_t pad[2]; } xdp
#include <xen/io/netif.h>
#undef mcast
#define XEN_NETIF_EXTRA_TYPE_XDP	5

#define xen_netif_extra_info		netif_extra_info
#define xen_netif_tx_request		netif_tx_request
#define xen_netif_tx_response		netif_tx_response
#define xen_netif_tx_front_ring		netif_tx_front_ring
#define xen_netif_tx_sring		netif_tx_sring
#define xen_netif_rx_request		netif_rx_request
#define xen_netif_rx_response		netif_rx_response
#define xen_netif_rx_front_ring		netif_rx_front_ring
#define xen_netif_rx_sring		netif_rx_sring

#define XEN_NETTXF_more_data		NETTXF_more_data
#define XEN_NETTXF_extra_info		NETTXF_extra_info
#define XEN_NETRXF_data_validated	NETRXF_data_validated
#define XEN_NETRXF_csum_blank		NETRXF_csum_blank
#define XEN_NETRXF_more_data		NETRXF_more_data
#define XEN_NETRXF_extra_info		NETRXF_extra_info
#define XEN_NETIF_RSP_ERROR		NETIF_RSP_ERROR
#define XEN_NETIF_RSP_DROPPED		NETIF_RSP_DROPPED

#endif /* RING_USER_H */
