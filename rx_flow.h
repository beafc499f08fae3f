/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which received packets GRO has no use for. GRO merges datagrams only for a
 * socket, a tunnel or a device setting that asks for it; for all others it looks at
 * each datagram in vain, at a fifth of what the driver and the stack below the
 * socket do for it. Nobody tells a driver which is which, so it learns: the last
 * packet of each poll goes to GRO, and where GRO has refused a flow's packets
 * XNL_GRO_REFUSALS polls in a row, the next poll's packets of that flow pass it
 * by, except for the last.
 *
 * Pure: works on a packet's headers and on state handed in by the caller; builds in
 * user space, where selftests/ring tests it.
 *
 * Context: any. The caller serialises (NAPI).
 */
#ifndef XNL_RX_FLOW_H
#define XNL_RX_FLOW_H

#ifdef __KERNEL__
#include <net/ip.h>
#include <net/ipv6.h>
#else
#include "flow_user.h"
#endif

#define XNL_GRO_REFUSALS	4

/**
 * struct xnl_flow - the UDP flow of a packet
 * @protocol: ETH_P_IP or ETH_P_IPV6 as on the wire, 0: not one that is looked at
 * @ports: both
 * @addr: both addresses; IPv4's are in the first element, and only that is written
 */
struct xnl_flow {
	__be16 protocol;
	u32 ports;
	u64 addr[4];
};

/**
 * struct xnl_gro - what GRO said of one flow
 * @flow: that flow
 * @refusals: how many polls in a row it had no use for its last packet
 */
struct xnl_gro {
	struct xnl_flow flow;
	unsigned int refusals;
};

/**
 * xnl_flow_read - of which UDP flow a packet is
 * @flow: the answer; protocol 0 for all that is not a whole datagram behind an IP
 *        header without options or extension headers
 * @protocol: the EtherType, as on the wire
 * @ip: the IP header
 * @len: bytes that may be read from there
 */
static inline void xnl_flow_read(struct xnl_flow *flow, __be16 protocol,
				 const void *ip, unsigned int len)
{
	const struct ipv6hdr *v6 = ip;
	const struct iphdr *v4 = ip;

	flow->protocol = 0;
	if (protocol == htons(ETH_P_IP)) {
		if (len < sizeof(*v4) + sizeof(flow->ports) ||
		    v4->version != 4 || v4->ihl != 5 ||
		    v4->protocol != IPPROTO_UDP ||
		    v4->frag_off & ~htons(IP_DF))
			return;
		memcpy(flow->addr, &v4->addrs, sizeof(v4->addrs));
		memcpy(&flow->ports, v4 + 1, sizeof(flow->ports));
	} else if (protocol == htons(ETH_P_IPV6)) {
		if (len < sizeof(*v6) + sizeof(flow->ports) ||
		    v6->nexthdr != IPPROTO_UDP)
			return;
		memcpy(flow->addr, &v6->addrs, sizeof(v6->addrs));
		memcpy(&flow->ports, v6 + 1, sizeof(flow->ports));
	} else {
		return;
	}
	flow->protocol = protocol;
}

/* Are both packets of one UDP flow? False for what is of none. */
static inline bool xnl_flow_same(const struct xnl_flow *a,
				 const struct xnl_flow *b)
{
	if (!a->protocol || a->protocol != b->protocol ||
	    a->ports != b->ports || a->addr[0] != b->addr[0])
		return false;
	return a->protocol == htons(ETH_P_IP) ||
	       (a->addr[1] == b->addr[1] && a->addr[2] == b->addr[2] &&
		a->addr[3] == b->addr[3]);
}

/* Is there a flow that may pass GRO by? If not, no packet need be looked at. */
static inline bool xnl_gro_learnt(const struct xnl_gro *gro)
{
	return gro->refusals >= XNL_GRO_REFUSALS;
}

/**
 * xnl_gro_useless - may a packet that is not its poll's last pass GRO by?
 * @gro: what was learnt
 * @flow: the packet's
 */
static inline bool xnl_gro_useless(const struct xnl_gro *gro,
				   const struct xnl_flow *flow)
{
	return xnl_gro_learnt(gro) && xnl_flow_same(&gro->flow, flow);
}

/**
 * xnl_gro_forget - GRO was not asked in a poll: what was learnt may be out of date
 * @gro: what was learnt
 */
static inline void xnl_gro_forget(struct xnl_gro *gro)
{
	gro->refusals = 0;
}

/**
 * xnl_gro_learn - note what GRO did with the last packet of a poll
 * @gro: what was learnt, all zero to begin with
 * @flow: that packet's
 * @refused: it did not merge it, nor keep it to merge others with it
 */
static inline void xnl_gro_learn(struct xnl_gro *gro,
				 const struct xnl_flow *flow, bool refused)
{
	if (!refused || !flow->protocol) {
		xnl_gro_forget(gro);
	} else if (!xnl_flow_same(&gro->flow, flow)) {
		gro->flow = *flow;
		gro->refusals = 1;
	} else if (gro->refusals < XNL_GRO_REFUSALS) {
		gro->refusals++;
	}
}

#endif /* XNL_RX_FLOW_H */
