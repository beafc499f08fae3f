/* SPDX-License-Identifier: GPL-2.0 */
/*
 * xennet_lite's private header: limits, what a vif and a queue are made of,
 * and the functions that cross files, grouped by the file that owns them.
 *
 * Locks and contexts, outermost first:
 *
 *   vif->lock       mutex  xenbus.c; the vif's phase, connect and disconnect.
 *                          Taken by the xenwatch thread and by reconnect work,
 *                          never under rtnl.
 *   rtnl            mutex  the core's; vif->queues, num_queues and polling
 *                          change only under it, so ndo_open, ndo_stop and
 *                          ethtool see them still.
 *   txq->_xmit_lock spin   the core's; one sender per queue: tx.c's send side
 *                          (request producer, xnl_tx_ids.get, tx statistics).
 *   NAPI            -      one consumer per queue: tx.c's completion side and
 *                          all of rx.c.
 *
 * twin.c has locks of its own, described there; none is held on calls to
 * other files, and no notifier of its takes a lock listed above.
 */
#ifndef XENNET_LITE_H
#define XENNET_LITE_H

#include <linux/etherdevice.h>
#include <linux/mutex.h>
#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <linux/u64_stats_sync.h>
#include <linux/workqueue.h>
#include <net/netdev_queues.h>
#include <net/page_pool/helpers.h>
#include <net/xdp.h>
#include <xen/grant_table.h>
#include <xen/xenbus.h>

#include "ring.h"
#include "rx_flow.h"

static_assert(PAGE_SIZE == XEN_PAGE_SIZE, "xennet_lite needs 4 KiB pages");

#define XNL_NAME		"xennet_lite"
#define XNL_VERSION		"0.1"

/* Queues per vif at most; netback's default is one per dom0 CPU. */
#define XNL_MAX_QUEUES		8
/*
 * netback drops a queue's carrier when fewer than a packet's slots are free. A page
 * pool allocates 64 pages at a time: half are posted at first, the other half is
 * for the bounce pages and for short packets.
 */
#define XNL_RX_TARGET_MIN	32
#define XNL_RX_TARGET_MAX	XNL_RING_SIZE
/* Most bytes of a page before which an skb can be built around it. */
#define XNL_RX_BUILD_MAX	(PAGE_SIZE - \
				 SKB_DATA_ALIGN(sizeof(struct skb_shared_info)))
/* Up to this many bytes are copied out and the buffer stays granted. */
#define XNL_RX_COPYBREAK	256
#define XNL_RX_COPYBREAK_MAX	1024
/* Answers that one transmit interrupt may stand for. */
#define XNL_TX_FRAMES		(XNL_RING_SIZE / 2)
/* Per transmit id, log2 of the bounce bytes: trusted and untrusted backend. */
#define XNL_BOUNCE_SHIFT	8
#define XNL_BOUNCE_SHIFT_FULL	XEN_PAGE_SHIFT
/* Stop a transmit queue that cannot take one more packet of any kind. */
#define XNL_TX_STOP		(XNL_SLOTS_MAX + 2)
#define XNL_TX_WAKE		(XNL_RING_SIZE / 4)
/*
 * A TCP packet of this size fits in XNL_SLOTS_MAX slots: one for the headers, one
 * for the GSO extra info, and one more for data that begins inside a page. What
 * lies in more pieces is cut by the stack (xnl_features_check()).
 */
#define XNL_TSO_MAX		((XNL_SLOTS_MAX - 3) * XEN_PAGE_SIZE)
#define XNL_MAX_MTU		(XNL_PACKET_MAX - ETH_HLEN)

/* How long a step of the handshake may take before the log says so. */
#define XNL_CONNECT_TIMEOUT	(10 * HZ)
/* How long a close waits for the backend before it goes on without. */
#define XNL_CLOSE_TIMEOUT	(3 * HZ)
/* How long a closing backend may keep transmit pages mapped. */
#define XNL_UNMAP_TIMEOUT	HZ
/* How long ifdown waits for answers. */
#define XNL_DRAIN_TIMEOUT	(HZ / 10)
#define XNL_BACKOFF_MIN		(HZ / 4)
#define XNL_BACKOFF_MAX		(60 * HZ)

struct xnl_twin;
struct xnl_vif;

/* Statistics of one queue pair; they outlive the queue over a reconnect. */
struct xnl_tx_stats {
	struct u64_stats_sync syncp;
	u64_stats_t packets;
	u64_stats_t bytes;
	u64_stats_t dropped;
	u64_stats_t doorbells;
	u64_stats_t xdp;
};

struct xnl_rx_stats {
	struct u64_stats_sync syncp;
	u64_stats_t packets;
	u64_stats_t bytes;
	u64_stats_t dropped;
	u64_stats_t errors;
	u64_stats_t csum_fixup;
	u64_stats_t gro_skipped;
	u64_stats_t xdp_drop;
	u64_stats_t xdp_tx;
	u64_stats_t xdp_redirect;
	u64_stats_t tx_errors;		/* completions are NAPI's as well */
	u64_stats_t interrupts;
};

struct xnl_queue_stats {
	struct xnl_tx_stats tx ____cacheline_aligned_in_smp;
	struct xnl_rx_stats rx ____cacheline_aligned_in_smp;
};

/**
 * struct xnl_tx_slot - what the driver keeps per transmit id
 * @owner: the skb or xdp_frame, in the slot of the packet's first id
 * @seq: ring index at which that packet began, for the order of packets
 * @gref: this id's own grant reference, granted while the state says so
 * @bounce: this id's share of a bounce page
 * @bounce_gref: that page's grant reference, granted as long as the ring is there
 */
struct xnl_tx_slot {
	void *owner;
	RING_IDX seq;
	grant_ref_t gref;
	void *bounce;
	grant_ref_t bounce_gref;
};

/* The owner of a transmit slot: an skb, or an xdp_frame marked by bit 0. */
static inline bool xnl_is_frame(const void *owner)
{
	return (unsigned long)owner & 1;
}

static inline struct xdp_frame *xnl_owner_frame(void *owner)
{
	return owner - 1;
}

/**
 * struct xnl_rx_buf - one receive buffer slot
 * @page: the granted page, NULL where none is posted
 * @gref: always this slot's; travels with @page when a buffer is posted again
 */
struct xnl_rx_buf {
	struct page *page;
	grant_ref_t gref;
};

/* Bits of xnl_queue.eoi: whose event channel awaits its end of interrupt. */
enum {
	XNL_EOI_TX,
	XNL_EOI_RX,
};

/**
 * struct xnl_queue - one queue pair, from connect to disconnect
 * @vif: its vif
 * @stats: its statistics, in &xnl_vif.stats
 * @index: N of queue-N
 * @otherend: the backend's domain
 * @broken: the backend broke the protocol; nothing is polled any more
 * @eoi: bits XNL_EOI_*
 * @tx_work: completions were found since the last tx end of interrupt
 * @rx_work: packets were found since the last rx end of interrupt
 * @xdp_sent: programs sent frames in this poll; no doorbell yet
 * @xdp_redirected: programs redirected frames in this poll; no flush yet
 * @tx_owned: packets sent that are freed by an answer
 * @tx_freed: those freed; the difference waits
 * @tx_quiet: no event is asked for, as nothing waits; the completer sets it
 * @tx_irq: interrupt of the transmit channel, also @rx_irq without split
 */
struct xnl_queue {
	struct xnl_vif *vif;
	struct xnl_queue_stats *stats;
	struct napi_struct napi;
	unsigned int index;
	domid_t otherend;
	bool broken;
	bool tx_work;
	bool rx_work;
	bool xdp_sent;
	bool xdp_redirected;
	unsigned long eoi;
	unsigned int tx_irq;
	unsigned int rx_irq;
	evtchn_port_t tx_evtchn;
	evtchn_port_t rx_evtchn;
	char tx_name[32];
	char rx_name[32];

	/* transmit */
	struct xen_netif_tx_front_ring tx ____cacheline_aligned_in_smp;
	grant_ref_t tx_ring_gref;
	struct xnl_tx_slot tx_slot[XNL_RING_SIZE];
	struct xnl_tx_ids tx_ids;
	unsigned int tx_owned;		/* the sender's */
	unsigned int tx_freed;		/* the completer's */
	bool tx_quiet;

	/* receive */
	struct xen_netif_rx_front_ring rx ____cacheline_aligned_in_smp;
	grant_ref_t rx_ring_gref;
	unsigned int rx_target;
	struct xnl_gro gro;		/* what GRO refuses */
	struct page_pool *pool;		/* pages.c; bounce pages too */
	struct xdp_rxq_info xdp_rxq;
	struct delayed_work refill;
	struct xnl_rx_buf rx_buf[XNL_RING_SIZE];
};

/**
 * struct xnl_backend - what the backend's keys say, clamped
 * @max_queues: 0 where it published none, else at least 1
 */
struct xnl_backend {
	unsigned int max_queues;
	bool rx_copy;
	bool split_evtchn;
	bool sg;
	bool gso_tcpv4;
	bool gso_tcpv6;
	bool ipv6_csum;
	bool no_csum;
	bool xdp_headroom;
};

/**
 * enum xnl_phase - where a vif stands with its backend
 * @XNL_WAITING: Initialising; waiting for the backend's InitWait
 * @XNL_CONNECTING: keys written, Connected; waiting for the backend's Connected
 * @XNL_UP: both Connected
 * @XNL_CLOSED: closed, or refused the backend; waiting for anything new
 */
enum xnl_phase {
	XNL_WAITING,
	XNL_CONNECTING,
	XNL_UP,
	XNL_CLOSED,
};

/**
 * struct xnl_terms - what the user's settings make of a connection, said once for it
 * @num_queues: as many as asked for and the backend has
 * @rxcsum: blank checksums are welcome
 * @gso: so are GSO packets
 * @xdp: a program wants room before each packet
 */
struct xnl_terms {
	unsigned int num_queues;
	bool rxcsum;
	bool gso;
	bool xdp;
};

/**
 * struct xnl_vif - one vif, from probe to remove; the netdev's private data
 * @phase: under @lock
 * @queues: num_queues of them; NULL while disconnected; changed under rtnl
 * @polling: NAPI is enabled on all queues; under rtnl
 * @terms: of the connection, or of the one being made; under @lock
 * @xdp_prog: changed under rtnl, run in NAPI; outlives connections
 * @bounce_shift: log2 of the bounce bytes per transmit id
 * @backoff: how long the next reconnect waits, in jiffies
 * @up_since: jiffies (never 0) of the last connection; 0 once it failed
 * @requeue: packets that the last backend never acknowledged
 * @removing: no reconnect is scheduled any more
 * @told: the log has it that the backend does not answer; under @lock
 * @want_queues: ethtool -L, at most @max_queues
 * @rx_pending: ethtool -G, the most receive buffers posted
 * @rx_copybreak: tunable, bytes; received packets up to it are copied
 * @tx_copybreak: tunable, bytes; linear parts up to it are copied
 * @tx_frames: ethtool -C, the most answers for one transmit interrupt
 * @watch: checks that the handshake moves on
 * @reconnect: closes and connects anew, after @backoff
 */
struct xnl_vif {
	struct xenbus_device *xdev;
	struct net_device *netdev;
	struct xnl_twin *twin;

	struct xnl_queue *queues;
	unsigned int num_queues;
	bool polling;
	bool trusted;
	u8 bounce_shift;
	struct xnl_backend backend;
	struct xnl_terms terms;
	struct bpf_prog __rcu *xdp_prog;

	struct mutex lock;		/* phase; connect, disconnect */
	enum xnl_phase phase;
	bool removing;
	bool told;
	struct delayed_work watch;
	struct delayed_work reconnect;
	unsigned long backoff;
	unsigned long up_since;
	struct sk_buff_head requeue;

	unsigned int max_queues;
	unsigned int want_queues;
	unsigned int rx_pending;
	unsigned int rx_copybreak;
	unsigned int tx_copybreak;
	unsigned int tx_frames;
	struct xnl_queue_stats stats[];
};

/* xennet_lite.c: parameters */
extern bool xnl_trusted;
extern unsigned int xnl_max_queues;

/* xenbus.c: a vif's life */
int xnl_probe(struct xenbus_device *xdev, const struct xenbus_device_id *id);
void xnl_remove(struct xenbus_device *xdev);
int xnl_resume(struct xenbus_device *xdev);
void xnl_backend_changed(struct xenbus_device *xdev, enum xenbus_state state);
void xnl_vif_reconnect(struct xnl_vif *vif, const char *why);
void xnl_vif_renegotiate(struct xnl_vif *vif, const char *why);
bool xnl_vif_terms_hold(const struct xnl_vif *vif);

/* netdev.c: the net_device */
struct xnl_vif *xnl_netdev_create(struct xenbus_device *xdev,
				  unsigned int max_queues);
void xnl_netdev_attach(struct xnl_vif *vif, struct xnl_queue *queues,
		       unsigned int num_queues);
struct xnl_queue *xnl_netdev_detach(struct xnl_vif *vif,
				    unsigned int *num_queues);
int xnl_netdev_carrier(struct xnl_vif *vif, bool up);

/* ethtool.c */
extern const struct ethtool_ops xnl_ethtool_ops;
extern const struct netdev_stat_ops xnl_stat_ops;

/* queue.c: a queue pair's resources */
struct xnl_queue *xnl_queues_create(struct xnl_vif *vif, unsigned int num);
void xnl_queues_destroy(struct xnl_queue *queues, unsigned int num,
			struct sk_buff_head *requeue);
void xnl_queues_spread(struct xnl_vif *vif);
void xnl_queues_gather(struct xnl_vif *vif);
void xnl_queue_kick(struct xnl_queue *queue);
void xnl_queue_broken(struct xnl_queue *queue, enum xnl_fault fault);

/* pages.c: a queue's page pool */
int xnl_pages_create(struct xnl_queue *queue);
void xnl_pages_destroy(struct xnl_queue *queue);
struct page *xnl_page_alloc(struct xnl_queue *queue, gfp_t gfp);
void xnl_page_free_granted(struct xnl_queue *queue, struct page *page,
			   grant_ref_t gref);

/* tx_ring.c */
int xnl_tx_create(struct xnl_queue *queue);
void xnl_tx_destroy(struct xnl_queue *queue, struct sk_buff_head *requeue);

/* tx.c */
netdev_tx_t xnl_start_xmit(struct sk_buff *skb, struct net_device *netdev);
netdev_features_t xnl_features_check(struct sk_buff *skb,
				     struct net_device *netdev,
				     netdev_features_t features);
int xnl_tx_frame(struct xnl_queue *queue, struct xdp_frame *frame,
		 bool csum_blank);
void xnl_tx_flush(struct xnl_queue *queue);
void xnl_tx_complete(struct xnl_queue *queue, int budget);
bool xnl_tx_awaited(const struct xnl_queue *queue);
bool xnl_tx_rearm(struct xnl_queue *queue);

/* rx.c */
int xnl_rx_create(struct xnl_queue *queue);
void xnl_rx_destroy(struct xnl_queue *queue);
int xnl_rx_poll(struct xnl_queue *queue, int budget);
bool xnl_rx_rearm(struct xnl_queue *queue);

/* xdp.c */
int xnl_bpf(struct net_device *netdev, struct netdev_bpf *bpf);
int xnl_xdp_xmit(struct net_device *netdev, int num, struct xdp_frame **frames,
		 u32 flags);
bool xnl_xdp_mtu_fits(const struct xnl_vif *vif, unsigned int mtu);
struct sk_buff *xnl_xdp_receive(struct xnl_queue *queue, struct bpf_prog *prog,
				struct page **pages,
				const struct xnl_rx_packet *pkt);
void xnl_xdp_flush(struct xnl_queue *queue);

/* twin.c: the emulated NIC beside the vif */
int xnl_twin_init(void);
void xnl_twin_exit(void);
struct xnl_twin *xnl_twin_vif_add(struct xenbus_device *xdev);
void xnl_twin_vif_connected(struct xnl_twin *twin, struct net_device *netdev);
void xnl_twin_vif_failed(struct xnl_twin *twin, const char *why);
void xnl_twin_vif_lost(struct xnl_twin *twin);
void xnl_twin_vif_removed(struct xnl_twin *twin);

#endif /* XENNET_LITE_H */
