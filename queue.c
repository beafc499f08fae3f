// SPDX-License-Identifier: GPL-2.0
/*
 * One queue pair's resources: the two ring pages and their grants, the event
 * channels with their interrupts, NAPI. What is put on the rings is tx.c's and
 * rx.c's; when a queue comes and goes is netdev.c's and xenbus.c's.
 *
 * Event channels are bound lateeoi: after an event the channel stays silent
 * until the end of interrupt is sent, which the poll does once it found no more
 * work. A backend that floods events is thus slowed to the pace of NAPI, and
 * events without work are reported as spurious, which slows it further.
 */
#include <linux/interrupt.h>
#include <linux/rtnetlink.h>
#include <xen/events.h>

#include "xennet_lite.h"

static void send_eoi(struct xnl_queue *queue)
{
	unsigned long eoi = xchg(&queue->eoi, 0);
	bool shared = queue->tx_irq == queue->rx_irq;
	bool work;

	if (!eoi)
		return;
	u64_stats_update_begin(&queue->stats->rx.syncp);
	u64_stats_add(&queue->stats->rx.interrupts, hweight_long(eoi));
	u64_stats_update_end(&queue->stats->rx.syncp);

	if (eoi & BIT(XNL_EOI_TX)) {
		work = queue->tx_work;
		queue->tx_work = false;
		xen_irq_lateeoi(queue->tx_irq,
				work ? 0 : XEN_EOI_FLAG_SPURIOUS);
	}
	if (eoi & BIT(XNL_EOI_RX)) {
		work = queue->rx_work || (shared && queue->tx_work);
		queue->rx_work = false;
		if (shared)
			queue->tx_work = false;
		xen_irq_lateeoi(queue->rx_irq,
				work ? 0 : XEN_EOI_FLAG_SPURIOUS);
	}
}

static int queue_poll(struct napi_struct *napi, int budget)
{
	struct xnl_queue *queue = container_of(napi, struct xnl_queue, napi);
	int done = 0;

	if (likely(!queue->broken))
		xnl_tx_complete(queue, budget);
	if (likely(!queue->broken && budget))
		done = xnl_rx_poll(queue, budget);
	/* A broken queue's channels stay silent: no end of interrupt. */
	if (unlikely(queue->broken)) {
		napi_complete_done(napi, 0);
		return 0;
	}
	if (done == budget)
		return done;
	/* Now, for once NAPI is given up another CPU may poll and rearm too. */
	if (xnl_rx_rearm(queue) | xnl_tx_rearm(queue))
		return budget;
	if (napi_complete_done(napi, done))
		send_eoi(queue);
	return done;
}

static irqreturn_t tx_interrupt(int irq, void *dev_id)
{
	struct xnl_queue *queue = dev_id;

	set_bit(XNL_EOI_TX, &queue->eoi);
	napi_schedule(&queue->napi);
	return IRQ_HANDLED;
}

static irqreturn_t rx_interrupt(int irq, void *dev_id)
{
	struct xnl_queue *queue = dev_id;

	set_bit(XNL_EOI_RX, &queue->eoi);
	napi_schedule(&queue->napi);
	return IRQ_HANDLED;
}

static int bind_channel(struct xnl_queue *queue, irq_handler_t handler,
			const char *name, evtchn_port_t *evtchn,
			unsigned int *irq)
{
	struct xenbus_device *xdev = queue->vif->xdev;
	int err;

	err = xenbus_alloc_evtchn(xdev, evtchn);
	if (err)
		return err;
	err = bind_evtchn_to_irqhandler_lateeoi(*evtchn, handler, 0, name,
						queue);
	if (err < 0) {
		xenbus_free_evtchn(xdev, *evtchn);
		return err;
	}
	*irq = err;
	return 0;
}

/*
 * An event may come before the queue is polled: NAPI is not enabled then, the
 * channel stays silent, and enabling it ends with a poll (xnl_queue_kick()).
 */
static int bind_channels(struct xnl_queue *queue)
{
	const char *vif = dev_name(&queue->vif->xdev->dev);
	int err;

	snprintf(queue->rx_name, sizeof(queue->rx_name), "%s-q%u%s", vif,
		 queue->index, queue->vif->backend.split_evtchn ? "-rx" : "");
	err = bind_channel(queue, rx_interrupt, queue->rx_name,
			   &queue->rx_evtchn, &queue->rx_irq);
	if (err)
		return err;

	if (!queue->vif->backend.split_evtchn) {
		queue->tx_evtchn = queue->rx_evtchn;
		queue->tx_irq = queue->rx_irq;
		return 0;
	}

	snprintf(queue->tx_name, sizeof(queue->tx_name), "%s-q%u-tx", vif,
		 queue->index);
	return bind_channel(queue, tx_interrupt, queue->tx_name,
			    &queue->tx_evtchn, &queue->tx_irq);
}

/* The CPU that serves a queue, unless an administrator says otherwise. */
static const struct cpumask *queue_cpu(const struct xnl_queue *queue)
{
	return cpumask_of(cpumask_local_spread(queue->index, NUMA_NO_NODE));
}

/**
 * xnl_queues_spread - one CPU after the other for the queues of a vif
 * @vif: the vif, its queues polled from now on
 *
 * Interrupts, transmit steering (XPS) and the NAPI that netlink reports.
 *
 * Context: process, under rtnl.
 */
void xnl_queues_spread(struct xnl_vif *vif)
{
	unsigned int i;

	for (i = 0; i < vif->num_queues; i++) {
		struct xnl_queue *queue = &vif->queues[i];

		netif_queue_set_napi(vif->netdev, i, NETDEV_QUEUE_TYPE_RX,
				     &queue->napi);
		netif_queue_set_napi(vif->netdev, i, NETDEV_QUEUE_TYPE_TX,
				     &queue->napi);
		if (vif->num_queues == 1)
			continue;
		netif_set_xps_queue(vif->netdev, queue_cpu(queue), i);
		irq_set_affinity_and_hint(queue->rx_irq, queue_cpu(queue));
		if (queue->tx_irq != queue->rx_irq)
			irq_set_affinity_and_hint(queue->tx_irq,
						  queue_cpu(queue));
	}
}

/* Undo what would outlive the queues; under rtnl. */
void xnl_queues_gather(struct xnl_vif *vif)
{
	unsigned int i;

	for (i = 0; i < vif->num_queues; i++) {
		netif_queue_set_napi(vif->netdev, i, NETDEV_QUEUE_TYPE_RX,
				     NULL);
		netif_queue_set_napi(vif->netdev, i, NETDEV_QUEUE_TYPE_TX,
				     NULL);
		irq_update_affinity_hint(vif->queues[i].rx_irq, NULL);
		irq_update_affinity_hint(vif->queues[i].tx_irq, NULL);
	}
}

static void unbind_channels(struct xnl_queue *queue)
{
	if (queue->tx_irq && queue->tx_irq != queue->rx_irq)
		unbind_from_irqhandler(queue->tx_irq, queue);
	if (queue->rx_irq)
		unbind_from_irqhandler(queue->rx_irq, queue);
	queue->tx_irq = 0;
	queue->rx_irq = 0;
}

/* Each part's destroy undoes a half made one too, but not one never begun. */
static int queue_create(struct xnl_queue *queue)
{
	int err;

	err = xnl_pages_create(queue);
	if (err)
		return err;
	err = xnl_tx_create(queue);
	if (err)
		goto out_tx;
	err = xnl_rx_create(queue);
	if (err)
		goto out_rx;
	err = bind_channels(queue);
	if (!err)
		return 0;

	unbind_channels(queue);
out_rx:
	xnl_rx_destroy(queue);
out_tx:
	xnl_tx_destroy(queue, NULL);
	xnl_pages_destroy(queue);
	return err;
}

/* The net_device's list of them is walked under rtnl, by sysfs and by netlink. */
static void napis_add(struct xnl_vif *vif, struct xnl_queue *queues,
		      unsigned int num)
{
	unsigned int i;

	rtnl_lock();
	for (i = 0; i < num; i++)
		netif_napi_add(vif->netdev, &queues[i].napi, queue_poll);
	rtnl_unlock();
}

static void napis_del(struct xnl_queue *queues, unsigned int num)
{
	unsigned int i;

	rtnl_lock();
	for (i = 0; i < num; i++)
		netif_napi_del(&queues[i].napi);
	rtnl_unlock();
}

/**
 * xnl_queues_create - make the queue pairs of a vif, ready to be announced
 * @vif: the vif, its backend's features known
 * @num: how many, 1 to &xnl_vif.max_queues
 *
 * Rings are zeroed and granted, receive buffers posted, channels bound; NAPI
 * is added but not enabled.
 *
 * Context: process, may sleep, takes rtnl.
 * Return: the queues, or an ERR_PTR with nothing left behind.
 */
struct xnl_queue *xnl_queues_create(struct xnl_vif *vif, unsigned int num)
{
	struct xnl_queue *queues;
	unsigned int i;
	int err;

	queues = kvcalloc(num, sizeof(*queues), GFP_KERNEL);
	if (!queues)
		return ERR_PTR(-ENOMEM);

	napis_add(vif, queues, num);
	for (i = 0; i < num; i++) {
		queues[i].vif = vif;
		queues[i].stats = &vif->stats[i];
		queues[i].index = i;
		queues[i].otherend = vif->xdev->otherend_id;
		err = queue_create(&queues[i]);
		if (err) {
			napis_del(queues + i, num - i);
			xnl_queues_destroy(queues, i, NULL);
			return ERR_PTR(err);
		}
	}
	return queues;
}

/**
 * xnl_queues_destroy - end what xnl_queues_create() made
 * @queues: the queues; not polled, and no sender can reach them
 * @num: how many
 * @requeue: where packets go that were not acknowledged; NULL to drop them
 *
 * Pages that the backend still maps are not given back to the system.
 *
 * Context: process, may sleep, takes rtnl.
 */
void xnl_queues_destroy(struct xnl_queue *queues, unsigned int num,
			struct sk_buff_head *requeue)
{
	unsigned int i;

	for (i = 0; i < num; i++)
		unbind_channels(&queues[i]);
	napis_del(queues, num);
	for (i = 0; i < num; i++) {
		xnl_rx_destroy(&queues[i]);
		xnl_tx_destroy(&queues[i], requeue);
		xnl_pages_destroy(&queues[i]);
	}
	kvfree(queues);
}

/* Poll once, whatever events say: what came while nobody listened is found. */
void xnl_queue_kick(struct xnl_queue *queue)
{
	local_bh_disable();
	napi_schedule(&queue->napi);
	local_bh_enable();
}

/**
 * xnl_queue_broken - the backend broke the protocol on this queue
 * @queue: the queue; polls do nothing from now on
 * @fault: what it did
 *
 * Context: NAPI of @queue.
 */
void xnl_queue_broken(struct xnl_queue *queue, enum xnl_fault fault)
{
	struct xnl_vif *vif = queue->vif;

	queue->broken = true;
	netif_carrier_off(vif->netdev);
	dev_err(&vif->xdev->dev,
		"queue %u: the backend broke the protocol: %s\n",
		queue->index, xnl_fault_name(fault));
	xnl_vif_reconnect(vif, "protocol violation");
}
