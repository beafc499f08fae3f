// SPDX-License-Identifier: GPL-2.0
/*
 * The one work item of the NIC policy: it fires the timers, looks at the NICs
 * that exist, binds and releases their drivers as the records say, frees what
 * is finished and asks whether to commit. It alone may sleep on a NIC, and it
 * alone frees a record, so a record found under the lock stays valid in it.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/netdevice.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "twin.h"

static void twin_seen(struct net_device *netdev, void *data)
{
	char name[XNL_TWIN_NAME];

	xnl_twin_sighting(netdev, NIC_EV_SEEN, name);
}

/* Tell every vif of which no twin is known where the bus holds no NIC that could be it. */
static void note_absence(void)
{
	struct pci_dev *pdev = NULL;
	struct xnl_twin *twin;
	bool stray = false;

	while ((pdev = pci_get_class(PCI_CLASS_NETWORK_ETHERNET << 8, pdev))) {
		spin_lock(&xnl_twins.lock);
		stray |= xnl_nic_could_be_emulated(pdev) &&
			 !xnl_twin_of_function(pdev);
		spin_unlock(&xnl_twins.lock);
	}
	if (stray)
		return;
	spin_lock(&xnl_twins.lock);
	list_for_each_entry(twin, &xnl_twins.list, node)
		if (!twin->dead && !twin->pdev &&
		    twin->vif.twin == NIC_TWIN_NONE)
			xnl_twin_event(twin, NIC_EV_ABSENT);
	spin_unlock(&xnl_twins.lock);
}

static void work_scan(void)
{
	bool scan, rescan;

	spin_lock(&xnl_twins.lock);
	scan = xnl_twins.scan;
	rescan = xnl_twins.rescan;
	xnl_twins.scan = false;
	xnl_twins.rescan = false;
	spin_unlock(&xnl_twins.lock);

	if (rescan)
		xnl_unplug_rescan();
	if (!scan)
		return;
	xnl_nic_for_each(twin_seen, NULL);
	note_absence();
}

static void work_timers(void)
{
	struct xnl_twin *twin;

	spin_lock(&xnl_twins.lock);
	list_for_each_entry(twin, &xnl_twins.list, node) {
		if (twin->timed && time_after_eq(jiffies, twin->deadline)) {
			twin->timed = false;
			xnl_twin_event(twin, NIC_EV_VIF_TIMEOUT);
		}
		if (twin->retry && time_after_eq(jiffies, twin->cool_at)) {
			twin->retry = false;
			xnl_twin_event(twin, NIC_EV_RETRY);
		}
	}
	spin_unlock(&xnl_twins.lock);
}

/* It was set up before the veto on that took hold: leave it alone. */
static bool found_up(struct xnl_twin *twin, const struct device *dev)
{
	bool left = false;

	if (!xnl_nic_is_up(dev))
		return false;
	spin_lock(&xnl_twins.lock);
	twin->up = true;
	if (!(xnl_twin_circumstances(twin) & NIC_IF_FORCE)) {
		xnl_twin_event(twin, NIC_EV_SEEN);
		left = true;
	}
	spin_unlock(&xnl_twins.lock);
	return left;
}

static void hand_act(struct xnl_twin *twin, u16 todo,
		     struct device *dev, struct pci_dev *pdev)
{
	if (todo & NIC_DO_RELEASE && !found_up(twin, dev))
		device_release_driver(dev);
	if (todo & NIC_DO_GIVE_BACK &&
	    !xnl_nic_give_back(dev, pdev))
		pr_warn("%s: twin %s: given back, but no driver takes it\n",
			twin->name, pci_name(pdev));
	if (todo & (NIC_DO_ALIAS | NIC_DO_UNALIAS))
		xnl_nic_alias(dev, twin->name, todo & NIC_DO_ALIAS);
}

/* Do what is due for one twin; false where nothing was due for any. */
static bool work_hand(void)
{
	struct xnl_twin *twin, *due = NULL;
	struct pci_dev *pdev = NULL;
	struct device *dev = NULL;
	u16 todo = 0;

	spin_lock(&xnl_twins.lock);
	list_for_each_entry(twin, &xnl_twins.list, node) {
		if (!twin->todo)
			continue;
		due = twin;
		todo = twin->todo;
		twin->todo = 0;
		pdev = pci_dev_get(twin->pdev);
		dev = get_device(twin->dev);
		break;
	}
	spin_unlock(&xnl_twins.lock);
	if (!due)
		return false;
	if (dev)
		hand_act(due, todo, dev, pdev);
	pci_dev_put(pdev);
	put_device(dev);
	return true;
}

static void work_bury(void)
{
	struct xnl_twin *twin, *next;
	LIST_HEAD(dead);

	spin_lock(&xnl_twins.lock);
	list_for_each_entry_safe(twin, next, &xnl_twins.list, node)
		if (twin->dead && !twin->todo)
			list_move(&twin->node, &dead);
	spin_unlock(&xnl_twins.lock);

	list_for_each_entry_safe(twin, next, &dead, node) {
		pci_dev_put(twin->pdev);
		put_device(twin->dev);
		kfree(twin);
	}
}

static void work_rearm(unsigned long at)
{
	struct xnl_twin *twin;
	bool any = at;

	spin_lock(&xnl_twins.lock);
	list_for_each_entry(twin, &xnl_twins.list, node) {
		if (twin->timed && (!any || time_before(twin->deadline, at))) {
			at = twin->deadline;
			any = true;
		}
		if (twin->retry && (!any || time_before(twin->cool_at, at))) {
			at = twin->cool_at;
			any = true;
		}
	}
	if (any && xnl_twins.armed)
		queue_delayed_work(xnl_twins.wq, &xnl_twins.work,
				   time_after(at, jiffies) ? at - jiffies : 0);
	spin_unlock(&xnl_twins.lock);
}

/**
 * xnl_twin_work() - do all that is due, and come again for the next deadline
 * @work: the delayed work of twin.c
 */
void xnl_twin_work(struct work_struct *work)
{
	unsigned long at = 0;

	work_timers();
	work_scan();
	while (work_hand())
		;
	work_bury();
	if (READ_ONCE(xnl_twins.armed) && xnl_twin_effective_policy() == NIC_UNPLUG)
		at = xnl_unplug_consider();
	work_rearm(at);
}

