// SPDX-License-Identifier: GPL-2.0
/*
 * One vif's life: what its backend offers, what we write for it, the states of
 * both sides, connecting, closing and coming back. Knows no skb.
 *
 * Nothing here waits for a backend without a bound, and probe does not wait at
 * all: each step is taken when the backend's state says so, and a delayed work
 * looks whether the steps come.
 *
 * Context: process. The xenwatch thread and the reconnect work meet at
 * vif->lock.
 */
#include <linux/bpf.h>
#include <linux/delay.h>
#include <xen/events.h>

#include "xennet_lite.h"

static const char * const flat_keys[] = {
	"tx-ring-ref", "rx-ring-ref",
	"event-channel", "event-channel-tx", "event-channel-rx",
};

/* What the backend says, believed only within bounds (netif.h, feature-*). */
static void read_backend(struct xnl_vif *vif)
{
	const char *dir = vif->xdev->otherend;
	struct xnl_backend *backend = &vif->backend;

	*backend = (struct xnl_backend){
		.max_queues = xenbus_read_unsigned(dir,
						   "multi-queue-max-queues", 0),
		.rx_copy = xenbus_read_unsigned(dir, "feature-rx-copy", 0),
		.split_evtchn = xenbus_read_unsigned(dir,
				"feature-split-event-channels", 0),
		.sg = xenbus_read_unsigned(dir, "feature-sg", 0),
		.gso_tcpv4 = xenbus_read_unsigned(dir, "feature-gso-tcpv4", 0),
		.gso_tcpv6 = xenbus_read_unsigned(dir, "feature-gso-tcpv6", 0),
		.ipv6_csum = xenbus_read_unsigned(dir,
				"feature-ipv6-csum-offload", 0),
		.no_csum = xenbus_read_unsigned(dir,
						"feature-no-csum-offload", 0),
		.xdp_headroom = xenbus_read_unsigned(dir,
						     "feature-xdp-headroom", 0),
	};
}

/* The backend's word first: the frontend's directory is the guest's to write. */
static int read_mac(struct xenbus_device *xdev, u8 mac[ETH_ALEN])
{
	const char * const dirs[] = { xdev->otherend, xdev->nodename };
	char *texts[ARRAY_SIZE(dirs)] = {};
	int err = -EINVAL;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(dirs) && err; i++) {
		texts[i] = xenbus_read(XBT_NIL, dirs[i], "mac", NULL);
		if (IS_ERR(texts[i]))
			texts[i] = NULL;
		else if (mac_pton(texts[i], mac) && is_valid_ether_addr(mac))
			err = 0;
	}
	if (err)
		xenbus_dev_fatal(xdev, err,
				 "%s/mac is \"%.32s\", %s/mac is \"%.32s\"; expected a unicast Ethernet address, set mac= in the host's vif line",
				 dirs[0], texts[0] ?: "", dirs[1],
				 texts[1] ?: "");
	for (i = 0; i < ARRAY_SIZE(dirs); i++)
		kfree(texts[i]);
	return err;
}

static struct xnl_terms terms_now(const struct xnl_vif *vif)
{
	netdev_features_t features = READ_ONCE(vif->netdev->features);

	return (struct xnl_terms){
		.num_queues = clamp(vif->backend.max_queues, 1U,
				    READ_ONCE(vif->want_queues)),
		.rxcsum = features & NETIF_F_RXCSUM,
		.gso = features & NETIF_F_GRO_HW,
		.xdp = rcu_access_pointer(vif->xdp_prog),
	};
}

/**
 * xnl_vif_terms_hold - is the connection what the user's settings are now?
 * @vif: the vif
 *
 * They may have changed while it was being made, when nothing can be renegotiated.
 *
 * Context: under rtnl and &xnl_vif.lock.
 */
bool xnl_vif_terms_hold(const struct xnl_vif *vif)
{
	struct xnl_terms now = terms_now(vif);

	return now.num_queues == vif->terms.num_queues &&
	       now.rxcsum == vif->terms.rxcsum && now.gso == vif->terms.gso &&
	       now.xdp == vif->terms.xdp;
}

/* Keys of the other layout, or of queues that are no more, mislead backends. */
static int remove_stale_keys(struct xenbus_transaction xbt,
			     struct xnl_vif *vif, unsigned int num)
{
	const char *dir = vif->xdev->nodename;
	unsigned int i, count, n;
	char **keys;
	int err = 0;

	keys = xenbus_directory(xbt, dir, "", &count);
	if (IS_ERR(keys))
		return PTR_ERR(keys);
	for (i = 0; i < count && !err; i++) {
		bool stale = match_string(flat_keys, ARRAY_SIZE(flat_keys),
					  keys[i]) >= 0;

		if (sscanf(keys[i], "queue-%u", &n) == 1)
			stale = num == 1 || n >= num;
		if (stale)
			err = xenbus_rm(xbt, dir, keys[i]);
	}
	kfree(keys);
	return err;
}

static int write_queue(struct xenbus_transaction xbt, struct xnl_queue *queue,
		       unsigned int num)
{
	struct xenbus_device *xdev = queue->vif->xdev;
	char dir[80];
	int err;

	if (num == 1)
		snprintf(dir, sizeof(dir), "%s", xdev->nodename);
	else
		snprintf(dir, sizeof(dir), "%s/queue-%u", xdev->nodename,
			 queue->index);

	err = xenbus_printf(xbt, dir, "tx-ring-ref", "%u",
			    queue->tx_ring_gref);
	err = err ?: xenbus_printf(xbt, dir, "rx-ring-ref", "%u",
				   queue->rx_ring_gref);
	if (!queue->vif->backend.split_evtchn)
		return err ?: xenbus_printf(xbt, dir, "event-channel", "%u",
					    queue->rx_evtchn);
	err = err ?: xenbus_printf(xbt, dir, "event-channel-tx", "%u",
				   queue->tx_evtchn);
	return err ?: xenbus_printf(xbt, dir, "event-channel-rx", "%u",
				    queue->rx_evtchn);
}

/* What we accept on receive; what we may send is the backend's to say. */
static int write_features(struct xenbus_transaction xbt, struct xnl_vif *vif)
{
	const struct xnl_terms *terms = &vif->terms;
	const struct {
		const char *key;
		unsigned int value;
	} features[] = {
		{ "request-rx-copy", 1 },
		{ "feature-rx-notify", 1 },
		{ "feature-sg", 1 },
		{ "feature-gso-tcpv4", terms->gso },
		{ "feature-gso-tcpv6", terms->gso },
		{ "feature-ipv6-csum-offload", terms->rxcsum },
		{ "feature-no-csum-offload", !terms->rxcsum },
		{ "request-multicast-control", 0 },
		{ "xdp-headroom", terms->xdp ? XDP_PACKET_HEADROOM : 0 },
	};
	unsigned int i;
	int err = 0;

	for (i = 0; i < ARRAY_SIZE(features) && !err; i++)
		err = xenbus_printf(xbt, vif->xdev->nodename, features[i].key,
				    "%u", features[i].value);
	return err;
}

static int write_keys(struct xenbus_transaction xbt, struct xnl_vif *vif,
		      struct xnl_queue *queues, unsigned int num)
{
	const char *dir = vif->xdev->nodename;
	unsigned int i;
	int err;

	err = remove_stale_keys(xbt, vif, num);
	if (!err && vif->backend.max_queues)
		err = xenbus_printf(xbt, dir, "multi-queue-num-queues", "%u",
				    num);
	for (i = 0; i < num && !err; i++)
		err = write_queue(xbt, &queues[i], num);
	return err ?: write_features(xbt, vif);
}

/* All keys appear at once or not at all. */
static int announce(struct xnl_vif *vif, struct xnl_queue *queues,
		    unsigned int num)
{
	struct xenbus_transaction xbt;
	unsigned int tries = 64;
	int err;

	do {
		err = xenbus_transaction_start(&xbt);
		if (err)
			return err;
		err = write_keys(xbt, vif, queues, num);
		if (err) {
			xenbus_transaction_end(xbt, 1);
			return err;
		}
		err = xenbus_transaction_end(xbt, 0);
	} while (err == -EAGAIN && --tries);
	return err;
}

static void expect(struct xnl_vif *vif, enum xnl_phase phase)
{
	vif->phase = phase;
	mod_delayed_work(system_freezable_wq, &vif->watch,
			 XNL_CONNECT_TIMEOUT);
}

/* Refuse this backend: nothing more is tried until something new comes. */
static void refuse(struct xnl_vif *vif, const char *why)
{
	vif->phase = XNL_CLOSED;
	cancel_delayed_work(&vif->watch);
	xnl_twin_vif_failed(vif->twin, why);
	xenbus_dev_fatal(vif->xdev, -EOPNOTSUPP,
			 "cannot use backend %s: %s", vif->xdev->otherend, why);
}

/* The backend is in InitWait: its features are complete, ours can be written. */
static void vif_connect(struct xnl_vif *vif)
{
	struct xnl_queue *queues;
	unsigned int num;
	int err;

	read_backend(vif);
	if (!vif->backend.rx_copy) {
		refuse(vif, "it lacks feature-rx-copy, which every Linux netback has");
		return;
	}
	vif->terms = terms_now(vif);
	num = vif->terms.num_queues;
	queues = xnl_queues_create(vif, num);
	if (IS_ERR(queues)) {
		err = PTR_ERR(queues);
		goto failed;
	}
	err = announce(vif, queues, num);
	if (err) {
		xnl_queues_destroy(queues, num, NULL);
		goto failed;
	}
	xnl_netdev_attach(vif, queues, num);
	expect(vif, XNL_CONNECTING);
	xenbus_switch_state(vif->xdev, XenbusStateConnected);
	return;

failed:
	xenbus_dev_error(vif->xdev, err, "making %u queues", num);
	xnl_vif_reconnect(vif, "no queues");
}

static void vif_up(struct xnl_vif *vif)
{
	bool carrier = xenbus_read_unsigned(vif->xdev->otherend, "carrier", 1);
	unsigned int i;
	int err;

	vif->phase = XNL_UP;
	vif->told = false;
	vif->up_since = jiffies | 1;
	cancel_delayed_work(&vif->watch);
	for (i = 0; i < vif->num_queues; i++) {
		notify_remote_via_irq(vif->queues[i].tx_irq);
		notify_remote_via_irq(vif->queues[i].rx_irq);
	}
	err = xnl_netdev_carrier(vif, carrier);
	if (err) {
		dev_err(&vif->xdev->dev, "no network device: error %d\n", err);
		xnl_twin_vif_failed(vif->twin, "register_netdev failed");
		return;
	}
	netdev_info(vif->netdev,
		    "connected to %s: %u queue%s, %s event channels%s\n",
		    vif->xdev->otherend, vif->num_queues,
		    vif->num_queues == 1 ? "" : "s",
		    vif->backend.split_evtchn ? "split" : "shared",
		    vif->trusted ? "" : ", backend not trusted");
	xnl_twin_vif_connected(vif->twin, vif->netdev);
}

/*
 * InitWait too: the backend has not looked at us since we were Connected, and
 * would take its way through Closing for a fault of the next connection.
 */
static bool backend_attached(enum xenbus_state state)
{
	return state == XenbusStateInitWait ||
	       state == XenbusStateInitialised ||
	       state == XenbusStateConnected ||
	       state == XenbusStateReconfiguring ||
	       state == XenbusStateReconfigured;
}

/*
 * Close our side. The backend is given a bounded time to let go before the
 * grants end; one that does not react keeps what it maps, and nothing else.
 */
static void vif_close(struct xnl_vif *vif, bool requeue)
{
	unsigned long deadline = jiffies + XNL_CLOSE_TIMEOUT;
	struct xenbus_device *xdev = vif->xdev;
	struct xnl_queue *queues;
	unsigned int num;

	cancel_delayed_work(&vif->watch);
	vif->phase = XNL_CLOSED;
	queues = xnl_netdev_detach(vif, &num);
	if (queues) {
		xenbus_switch_state(xdev, XenbusStateClosing);
		while (backend_attached(xenbus_read_driver_state(xdev->otherend)) &&
		       time_before(jiffies, deadline))
			msleep(20);
	}
	xenbus_frontend_closed(xdev);
	if (queues)
		xnl_queues_destroy(queues, num, requeue ? &vif->requeue : NULL);
}

/* Let a new connection begin: the backend answers with InitWait. */
static void vif_open(struct xnl_vif *vif)
{
	expect(vif, XNL_WAITING);
	xenbus_switch_state(vif->xdev, XenbusStateInitialising);
}

/*
 * A backend whose hot-plug script has not ended stays in InitWait whatever we
 * do, so nothing tells that a new attempt may go on.
 */
static void vif_open_again(struct xnl_vif *vif)
{
	vif_open(vif);
	if (xenbus_read_driver_state(vif->xdev->otherend) ==
	    XenbusStateInitWait)
		vif_connect(vif);
}

static void reconnect_work(struct work_struct *work)
{
	struct xnl_vif *vif = container_of(to_delayed_work(work),
					   struct xnl_vif, reconnect);

	mutex_lock(&vif->lock);
	/* It may have been asked for while xnl_remove() held the lock. */
	if (vif->removing)
		goto out;
	if (vif->phase == XNL_UP)
		xnl_twin_vif_lost(vif->twin);
	vif_close(vif, true);
	vif_open_again(vif);
out:
	mutex_unlock(&vif->lock);
}

/**
 * xnl_vif_reconnect - close the connection and make a new one, soon
 * @vif: the vif
 * @why: for the log; NULL where it has been said
 *
 * Attempts that follow one another are spaced, each twice as far as the one
 * before, up to XNL_BACKOFF_MAX.
 *
 * Context: any.
 */
void xnl_vif_reconnect(struct xnl_vif *vif, const char *why)
{
	if (READ_ONCE(vif->removing))
		return;
	if (vif->up_since &&
	    time_after(jiffies, vif->up_since + XNL_BACKOFF_MAX))
		vif->backoff = XNL_BACKOFF_MIN;
	if (!queue_delayed_work(system_freezable_wq, &vif->reconnect,
				vif->backoff))
		return;
	if (why)
		dev_info(&vif->xdev->dev, "connecting anew in %u ms: %s\n",
			 jiffies_to_msecs(vif->backoff), why);
	vif->backoff = min_t(unsigned long, vif->backoff * 2, XNL_BACKOFF_MAX);
	vif->up_since = 0;
}

/**
 * xnl_vif_renegotiate - connect anew because of what the user set
 * @vif: the vif
 * @why: for the log
 *
 * Context: any.
 */
void xnl_vif_renegotiate(struct xnl_vif *vif, const char *why)
{
	if (READ_ONCE(vif->removing))
		return;
	dev_info(&vif->xdev->dev, "connecting anew: %s\n", why);
	mod_delayed_work(system_freezable_wq, &vif->reconnect, 0);
}

/* The backend leaves, or has left; it may come back while it is online. */
static void backend_closing(struct xnl_vif *vif)
{
	switch (vif->phase) {
	case XNL_WAITING:
		/* What an earlier owner left; InitWait follows. */
		break;
	case XNL_CLOSED:
		xenbus_frontend_closed(vif->xdev);
		break;
	case XNL_CONNECTING:
	case XNL_UP:
		vif_close(vif, true);
		xnl_twin_vif_lost(vif->twin);
		/* No such key: it died with its domain, and may come back. */
		if (xenbus_read_unsigned(vif->xdev->otherend, "online", 1))
			xnl_vif_reconnect(vif, "the backend closed");
		break;
	}
}

/**
 * xnl_backend_changed - the xenbus otherend_changed callback
 * @xdev: the xenbus device
 * @state: the backend's state, as read when the watch fired: it is read again,
 *         for a reconnect may have come and gone while this waited for the lock
 */
void xnl_backend_changed(struct xenbus_device *xdev, enum xenbus_state state)
{
	struct xnl_vif *vif = dev_get_drvdata(&xdev->dev);

	mutex_lock(&vif->lock);
	state = xenbus_read_driver_state(xdev->otherend);
	dev_dbg(&xdev->dev, "backend is %s\n", xenbus_strstate(state));
	switch (state) {
	case XenbusStateInitWait:
		if (vif->phase == XNL_WAITING)
			vif_connect(vif);
		else if (vif->phase == XNL_UP)
			backend_closing(vif);	/* it was, unseen */
		break;
	case XenbusStateConnected:
		if (vif->phase == XNL_CONNECTING)
			vif_up(vif);
		break;
	case XenbusStateClosing:
	case XenbusStateClosed:
	case XenbusStateUnknown:	/* its directory is gone */
		backend_closing(vif);
		break;
	case XenbusStateInitialising:
	case XenbusStateInitialised:
	case XenbusStateReconfiguring:
	case XenbusStateReconfigured:
		break;
	}
	mutex_unlock(&vif->lock);
}

static void watch_work(struct work_struct *work)
{
	struct xnl_vif *vif = container_of(to_delayed_work(work),
					   struct xnl_vif, watch);
	static const char * const wanted[] = {
		[XNL_WAITING] = "InitWait",
		[XNL_CONNECTING] = "Connected",
	};
	enum xenbus_state state;

	mutex_lock(&vif->lock);
	if (vif->phase == XNL_UP || vif->phase == XNL_CLOSED)
		goto out;
	state = xenbus_read_driver_state(vif->xdev->otherend);
	if (!vif->told)
		dev_warn(&vif->xdev->dev,
			 "not connected after %u s: backend %s is %s, expected %s; going on trying, see the host's hotplug log\n",
			 XNL_CONNECT_TIMEOUT / HZ, vif->xdev->otherend,
			 xenbus_strstate(state), wanted[vif->phase]);
	vif->told = true;
	/*
	 * A backend in InitWait has all that it needs from us and takes it up
	 * once its hot-plug script is done; starting anew would help nobody.
	 */
	if (vif->phase == XNL_CONNECTING && state != XenbusStateInitWait)
		xnl_vif_reconnect(vif, NULL);
out:
	mutex_unlock(&vif->lock);
}

/**
 * xnl_probe - a vif of ours has appeared
 * @xdev: the xenbus device, its backend's path known
 * @id: unused, all are vifs
 *
 * Return: 0, or a negative errno with the vif's error node written.
 */
int xnl_probe(struct xenbus_device *xdev, const struct xenbus_device_id *id)
{
	unsigned int queues = xnl_max_queues ?: num_online_cpus();
	u8 mac[ETH_ALEN];
	struct xnl_vif *vif;
	int err;

	vif = xnl_netdev_create(xdev, clamp(queues, 1U,
					    (unsigned int)XNL_MAX_QUEUES));
	if (!vif) {
		xenbus_dev_fatal(xdev, -ENOMEM, "allocating a network device");
		return -ENOMEM;
	}
	err = read_mac(xdev, mac);
	if (err) {
		free_netdev(vif->netdev);
		return err;
	}
	eth_hw_addr_set(vif->netdev, mac);
	vif->trusted = xnl_trusted &&
		       xenbus_read_unsigned(xdev->nodename, "trusted", 1);
	vif->bounce_shift = vif->trusted ? XNL_BOUNCE_SHIFT :
					   XNL_BOUNCE_SHIFT_FULL;
	mutex_init(&vif->lock);
	INIT_DELAYED_WORK(&vif->watch, watch_work);
	INIT_DELAYED_WORK(&vif->reconnect, reconnect_work);
	__skb_queue_head_init(&vif->requeue);
	vif->backoff = XNL_BACKOFF_MIN;
	dev_set_drvdata(&xdev->dev, vif);

	vif->twin = xnl_twin_vif_add(xdev);
	vif_open(vif);
	return 0;
}

/**
 * xnl_remove - the vif goes away, or the driver does
 * @xdev: the xenbus device; its otherend watch has ended
 *
 * Context: process. Bounded whatever the backend does.
 */
void xnl_remove(struct xenbus_device *xdev)
{
	struct xnl_vif *vif = dev_get_drvdata(&xdev->dev);

	WRITE_ONCE(vif->removing, true);
	cancel_delayed_work_sync(&vif->reconnect);
	mutex_lock(&vif->lock);
	vif_close(vif, false);
	mutex_unlock(&vif->lock);
	cancel_delayed_work_sync(&vif->watch);

	if (vif->netdev->reg_state == NETREG_REGISTERED)
		unregister_netdev(vif->netdev);
	/* A send or a poll may have asked for it until just now. */
	cancel_delayed_work_sync(&vif->reconnect);
	xnl_twin_vif_removed(vif->twin);
	__skb_queue_purge(&vif->requeue);
	dev_set_drvdata(&xdev->dev, NULL);
	free_netdev(vif->netdev);
}

/**
 * xnl_resume - the guest was restored or migrated; the old backend is gone
 * @xdev: the xenbus device, its new backend's path known
 *
 * What the user set stays; what was not acknowledged is sent again once the
 * new backend is connected.
 */
int xnl_resume(struct xenbus_device *xdev)
{
	struct xnl_vif *vif = dev_get_drvdata(&xdev->dev);
	struct xnl_queue *queues;
	unsigned int num;

	cancel_delayed_work_sync(&vif->reconnect);
	mutex_lock(&vif->lock);
	queues = xnl_netdev_detach(vif, &num);
	if (queues)
		xnl_queues_destroy(queues, num, &vif->requeue);
	vif->backoff = XNL_BACKOFF_MIN;
	vif->told = false;
	vif_open(vif);
	mutex_unlock(&vif->lock);
	return 0;
}
