// SPDX-License-Identifier: GPL-2.0
/*
 * The hands of the NIC policy: one record per vif, the notifiers by which its
 * emulated twin is met, and one work item that does what nic_policy.h decided.
 * Events are judged under a spinlock wherever they occur, POST_INIT under RTNL
 * included; whatever may sleep or take a device's lock (release, attach, port,
 * bus) is left to the work item, the only place that frees a record. Knows no
 * ring and no packet.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/crash_dump.h>
#include <linux/etherdevice.h>
#include <linux/notifier.h>
#include <linux/platform_device.h>
#include <linux/slab.h>
#include <linux/workqueue.h>
#include <xen/xenbus.h>

#include "nic_events.h"
#include "twin.h"
#include "xennet_lite.h"

#define COOLING		(60 * HZ)
#define KDUMP_TIMEOUT	10

struct xnl_twins xnl_twins = {
	.lock = __SPIN_LOCK_UNLOCKED(xnl_twins.lock),
	.list = LIST_HEAD_INIT(xnl_twins.list),
	.asked = NIC_AUTO,
};

u8 xnl_twin_effective_policy(void)
{
	return nic_policy_effective(xnl_twins.asked, is_kdump_kernel());
}

static unsigned int timeout_seconds(void)
{
	unsigned int seconds = READ_ONCE(xnl_unplug_timeout);

	return is_kdump_kernel() ? min(seconds, KDUMP_TIMEOUT + 0U) : seconds;
}

static void kick(void)
{
	if (xnl_twins.armed)
		mod_delayed_work(xnl_twins.wq, &xnl_twins.work, 0);
}

u8 xnl_twin_circumstances(const struct xnl_twin *twin)
{
	u8 now = twin->up ? NIC_IF_UP : 0;

	if (READ_ONCE(xnl_unplug_force) && xnl_twins.asked != NIC_AUTO)
		now |= NIC_IF_FORCE;
	if (twin->cooling && time_before(jiffies, twin->cool_at))
		now |= NIC_IF_COOLING;
	if (timeout_seconds())
		now |= NIC_IF_TIMED;
	return now;
}

void xnl_twin_say(const struct xnl_twin *twin, bool warn)
{
	const char *state = nic_twin_state_name(twin->vif.twin);
	const char *place = twin->pdev ? pci_name(twin->pdev) : "-";

	if (warn)
		pr_warn("%s: twin %s %s: %s\n", twin->name, place, state,
			twin->why);
	else
		pr_info("%s: twin %s %s: %s\n", twin->name, place, state,
			twin->why);
}

static void carry_timers(struct xnl_twin *twin, u16 actions)
{
	if (actions & NIC_DO_NO_TIMER)
		twin->timed = false;
	if (actions & NIC_DO_TIMER && timeout_seconds()) {
		twin->timed = true;
		twin->deadline = jiffies + timeout_seconds() * HZ;
	}
	if (actions & NIC_DO_RETRY)
		twin->retry = true;
	if (actions & NIC_DO_GIVE_BACK) {
		twin->cooling = true;
		twin->cool_at = jiffies + COOLING;
	}
}

static void carry_todo(struct xnl_twin *twin, u16 actions)
{
	const u16 driver = NIC_DO_RELEASE | NIC_DO_GIVE_BACK;
	const u16 alias = NIC_DO_ALIAS | NIC_DO_UNALIAS;

	if (actions & (driver | NIC_DO_REFUSE))
		twin->todo &= ~driver;
	if (actions & alias)
		twin->todo &= ~alias;
	twin->todo |= actions & (driver | alias);
	if (actions & NIC_DO_SCAN)
		xnl_twins.scan = true;
	if (actions & NIC_DO_RESCAN_BUS)
		xnl_twins.rescan = true;
	if (actions & NIC_DO_FORGET)
		twin->dead = true;
}

static void carry_words(struct xnl_twin *twin, const struct nic_verdict *verdict,
			bool changed, const char *detail)
{
	bool say = changed && !(verdict->actions & NIC_DO_QUIET);

	say |= verdict->actions & NIC_DO_SAY;
	if (verdict->actions & NIC_DO_SAY_ONCE && !twin->told) {
		twin->told = true;
		say = true;
	}
	if (!changed && !say)
		return;
	if (detail)
		snprintf(twin->why, sizeof(twin->why), "%s (%s)", verdict->why,
			 detail);
	else
		strscpy(twin->why, verdict->why, sizeof(twin->why));
	if (say)
		xnl_twin_say(twin, verdict->actions & NIC_DO_WARN);
}

/**
 * xnl_twin_event_detail() - judge one event and note what must follow
 * @twin: the record in question
 * @event: enum nic_event
 * @detail: added to the reason in the log, may be NULL
 *
 * Context: xnl_twins.lock held.
 * Return: the verdict's actions.
 */
u16 xnl_twin_event_detail(struct xnl_twin *twin, u8 event, const char *detail)
{
	struct nic_verdict verdict;
	bool changed;

	lockdep_assert_held(&xnl_twins.lock);
	verdict = nic_decide(xnl_twin_effective_policy(), &twin->vif, event,
			     xnl_twin_circumstances(twin));
	changed = verdict.vif.twin != twin->vif.twin;
	twin->vif = verdict.vif;
	if (!verdict.row)
		return 0;
	carry_timers(twin, verdict.actions);
	carry_todo(twin, verdict.actions);
	carry_words(twin, &verdict, changed, detail);
	kick();
	return verdict.actions;
}

/**
 * xnl_twin_event() - the same without a detail
 * @twin: the record in question
 * @event: enum nic_event
 */
u16 xnl_twin_event(struct xnl_twin *twin, u8 event)
{
	return xnl_twin_event_detail(twin, event, NULL);
}

/**
 * xnl_twin_of_function() - the record whose twin a PCI function is
 * @pdev: any function
 *
 * Context: xnl_twins.lock held.
 */
struct xnl_twin *xnl_twin_of_function(const struct pci_dev *pdev)
{
	struct xnl_twin *twin;

	lockdep_assert_held(&xnl_twins.lock);
	list_for_each_entry(twin, &xnl_twins.list, node)
		if (twin->pdev == pdev && !twin->dead)
			return twin;
	return NULL;
}

/* References to drop once xnl_twins.lock is released. */
struct held {
	struct pci_dev *pdev;
	struct device *dev;
};

static void held_put(struct held *held)
{
	pci_dev_put(held->pdev);
	put_device(held->dev);
}

static struct held twin_place(struct xnl_twin *twin, struct pci_dev *pdev,
			      struct device *dev)
{
	struct held old = { twin->pdev, twin->dev };

	twin->pdev = pci_dev_get(pdev);
	twin->dev = get_device(dev);
	return old;
}

/*
 * Whose twin is it? An orphan steps back behind a living vif of its address;
 * two living ones of the same address leave it in doubt.
 */
static struct xnl_twin *twin_lookup(const struct nic_candidate *nic,
				    const struct pci_dev *pdev,
				    enum nic_match *match)
{
	struct xnl_twin *twin, *found = xnl_twin_of_function(pdev);
	enum nic_match each;

	*match = NIC_MATCH_TWIN;
	if (found)
		return found;
	*match = NIC_MATCH_NO;
	list_for_each_entry(twin, &xnl_twins.list, node) {
		each = twin->dead ? NIC_MATCH_NO : nic_match(&twin->vif, nic);
		if (each == NIC_MATCH_NO)
			continue;
		if (!found || found->vif.twin == NIC_TWIN_ORPHAN) {
			found = twin;
			*match = each;
		} else if (twin->vif.twin != NIC_TWIN_ORPHAN) {
			*match = NIC_MATCH_DOUBT;
		}
	}
	if (found && found->pdev)
		*match = nic_match_rival(&found->vif, nic);
	return found;
}

/**
 * xnl_twin_sighting() - a netdev was met that may be a twin's
 * @netdev: any netdev
 * @event: NIC_EV_SEEN or NIC_EV_POST_INIT
 * @name: room for XNL_TWIN_NAME bytes, set to its vif's where it has one
 *
 * Context: RTNL held.
 * Return: the verdict's actions, 0 where it is nobody's twin.
 */
u16 xnl_twin_sighting(struct net_device *netdev, u8 event, char *name)
{
	struct device *dev = netdev->dev.parent;
	struct nic_candidate nic;
	struct held old = {};
	enum nic_match match;
	struct pci_dev *pdev;
	struct xnl_twin *twin;
	u16 actions = 0;

	if (!xnl_nic_describe(netdev, &nic, &pdev))
		return 0;
	spin_lock(&xnl_twins.lock);
	twin = xnl_twins.armed ? twin_lookup(&nic, pdev, &match) : NULL;
	if (twin && match == NIC_MATCH_DOUBT) {
		if (!twin->pdev)
			old = twin_place(twin, pdev, dev);
		xnl_twin_event(twin, NIC_EV_DOUBT);
	} else if (twin && match == NIC_MATCH_TWIN) {
		old = twin_place(twin, pdev, dev);
		twin->vif.sure = nic_emulated_id(&nic);
		twin->up = netdev->flags & IFF_UP;
		actions = xnl_twin_event(twin, event);
		strscpy(name, twin->name, XNL_TWIN_NAME);
	}
	spin_unlock(&xnl_twins.lock);
	held_put(&old);
	return actions;
}

static int twin_post_init(struct net_device *netdev)
{
	char name[XNL_TWIN_NAME];
	u16 actions;

	actions = xnl_twin_sighting(netdev, NIC_EV_POST_INIT, name);
	if (actions & NIC_DO_ALIAS)
		xnl_nic_set_alias(netdev, name);
	return actions & NIC_DO_REFUSE ? notifier_from_errno(-ENODEV)
				       : NOTIFY_DONE;
}

/* Between the decision to hide a NIC and its release nobody may set it up. */
static int twin_pre_up(const struct xnl_twin *twin)
{
	if (twin->vif.twin == NIC_TWIN_HIDDEN ||
	    twin->vif.twin == NIC_TWIN_ORPHAN)
		return notifier_from_errno(-ENODEV);
	return NOTIFY_DONE;
}

static int twin_known_event(struct net_device *netdev, unsigned long event)
{
	struct nic_candidate nic;
	struct xnl_twin *twin;
	struct pci_dev *pdev;
	int ret = NOTIFY_DONE;

	if (!xnl_nic_describe(netdev, &nic, &pdev))
		return NOTIFY_DONE;
	spin_lock(&xnl_twins.lock);
	twin = xnl_twins.armed ? xnl_twin_of_function(pdev) : NULL;
	if (twin && event == NETDEV_PRE_UP)
		ret = twin_pre_up(twin);
	if (twin && event == NETDEV_UP)
		twin->up = true;
	if (twin && event == NETDEV_DOWN) {
		twin->up = false;
		xnl_twin_event(twin, NIC_EV_DOWN);
	}
	if (twin && event == NETDEV_UNREGISTER) {
		twin->up = false;
		xnl_twin_event(twin, NIC_EV_NETDEV_GONE);
	}
	spin_unlock(&xnl_twins.lock);
	return ret;
}

static int twin_netdev_event(struct notifier_block *nb, unsigned long event,
			     void *ptr)
{
	struct net_device *netdev = netdev_notifier_info_to_dev(ptr);
	char name[XNL_TWIN_NAME];

	switch (event) {
	case NETDEV_POST_INIT:
		return twin_post_init(netdev);
	case NETDEV_REGISTER:
		xnl_twin_sighting(netdev, NIC_EV_SEEN, name);
		return NOTIFY_DONE;
	case NETDEV_PRE_UP:
	case NETDEV_UP:
	case NETDEV_DOWN:
	case NETDEV_UNREGISTER:
		return twin_known_event(netdev, event);
	default:
		return NOTIFY_DONE;
	}
}

static struct notifier_block twin_netdev_nb = {
	.notifier_call = twin_netdev_event,
};

static int twin_pci_event(struct notifier_block *nb, unsigned long event,
			  void *data)
{
	struct pci_dev *pdev = to_pci_dev(data);
	struct held old = {};
	struct xnl_twin *twin;

	if (pdev->class >> 8 != PCI_CLASS_NETWORK_ETHERNET)
		return NOTIFY_DONE;
	spin_lock(&xnl_twins.lock);
	twin = xnl_twin_of_function(pdev);
	if (twin && event == BUS_NOTIFY_REMOVED_DEVICE) {
		xnl_twin_event(twin, NIC_EV_FUNCTION_GONE);
		twin->up = false;
		old = twin_place(twin, NULL, NULL);
	}
	kick();
	spin_unlock(&xnl_twins.lock);
	held_put(&old);
	return NOTIFY_DONE;
}

static struct notifier_block twin_pci_nb = {
	.notifier_call = twin_pci_event,
};

static void everyone(u8 event)
{
	struct xnl_twin *twin;

	lockdep_assert_held(&xnl_twins.lock);
	list_for_each_entry(twin, &xnl_twins.list, node)
		if (!twin->dead)
			xnl_twin_event(twin, event);
}

/**
 * xnl_twin_set_policy() - unplug= is given to modprobe or written
 * @policy: enum nic_policy
 *
 * Return: 0, or -EBUSY where the NICs of this device model were unplugged.
 */
int xnl_twin_set_policy(u8 policy)
{
	int err = 0;

	spin_lock(&xnl_twins.lock);
	if (nic_policy_locked(xnl_twins.asked, policy, xnl_unplug_done())) {
		err = -EBUSY;
	} else {
		xnl_twins.asked = policy;
		if (xnl_twins.armed) {
			xnl_unplug_reset(false);
			everyone(NIC_EV_POLICY);
			kick();
		}
	}
	spin_unlock(&xnl_twins.lock);
	return err;
}

/**
 * xnl_twin_policy() - unplug= as it was asked for
 */
u8 xnl_twin_policy(void)
{
	return READ_ONCE(xnl_twins.asked);
}

/**
 * xnl_twin_reconsider() - a helper parameter was written
 */
void xnl_twin_reconsider(void)
{
	spin_lock(&xnl_twins.lock);
	xnl_twins.scan = xnl_twins.armed;
	kick();
	spin_unlock(&xnl_twins.lock);
}

/* The resume barrier: .restore follows a resume, .thaw a cancelled suspend. */
static int twin_restore(struct device *dev)
{
	spin_lock(&xnl_twins.lock);
	xnl_unplug_reset(true);
	everyone(NIC_EV_RESUMED);
	spin_unlock(&xnl_twins.lock);
	return 0;
}

static int twin_thaw(struct device *dev)
{
	spin_lock(&xnl_twins.lock);
	everyone(NIC_EV_CANCELLED);
	spin_unlock(&xnl_twins.lock);
	return 0;
}

static const struct dev_pm_ops twin_pm_ops = {
	.restore = twin_restore,
	.thaw = twin_thaw,
};

static struct platform_driver twin_barrier = {
	.driver = {
		.name = KBUILD_MODNAME,
		.pm = &twin_pm_ops,
	},
};

static struct platform_device *twin_barrier_dev;

static int barrier_create(void)
{
	int err = platform_driver_register(&twin_barrier);

	if (err)
		return err;
	twin_barrier_dev = platform_device_register_simple(KBUILD_MODNAME,
							   PLATFORM_DEVID_NONE,
							   NULL, 0);
	if (!IS_ERR(twin_barrier_dev))
		return 0;
	platform_driver_unregister(&twin_barrier);
	return PTR_ERR(twin_barrier_dev);
}

static void barrier_destroy(void)
{
	platform_device_unregister(twin_barrier_dev);
	platform_driver_unregister(&twin_barrier);
}

/**
 * xnl_twin_init() - arm the policy, before the xenbus driver is registered
 *
 * Inert, and a success, where the guest cannot have emulated NICs.
 *
 * Return: 0 or a negative errno.
 */
int xnl_twin_init(void)
{
	int err;

	if (!xnl_unplug_is_hvm())
		return 0;
	if (is_kdump_kernel())
		pr_info("crash kernel: unplug=unplug does as hide, within %d seconds\n",
			KDUMP_TIMEOUT);
	INIT_DELAYED_WORK(&xnl_twins.work, xnl_twin_work);
	/* Freezable: no driver is bound or released in the midst of a suspend. */
	xnl_twins.wq = alloc_ordered_workqueue("xnl_twin", WQ_FREEZABLE);
	if (!xnl_twins.wq)
		return -ENOMEM;
	err = barrier_create();
	if (err)
		goto destroy_wq;
	WRITE_ONCE(xnl_twins.armed, true);
	err = bus_register_notifier(&pci_bus_type, &twin_pci_nb);
	if (err)
		goto disarm;
	err = register_netdevice_notifier(&twin_netdev_nb);
	if (err)
		goto unregister_pci;
	return 0;

unregister_pci:
	bus_unregister_notifier(&pci_bus_type, &twin_pci_nb);
disarm:
	WRITE_ONCE(xnl_twins.armed, false);
	cancel_delayed_work_sync(&xnl_twins.work);
	barrier_destroy();
destroy_wq:
	destroy_workqueue(xnl_twins.wq);
	return err;
}

/**
 * xnl_twin_exit() - give everything back, after the xenbus driver is gone
 *
 * The veto falls first, so that what is given back finds its driver willing.
 */
void xnl_twin_exit(void)
{
	if (!xnl_twins.wq)
		return;
	unregister_netdevice_notifier(&twin_netdev_nb);
	bus_unregister_notifier(&pci_bus_type, &twin_pci_nb);
	barrier_destroy();

	spin_lock(&xnl_twins.lock);
	everyone(NIC_EV_UNLOAD);
	xnl_twins.armed = false;
	spin_unlock(&xnl_twins.lock);
	mod_delayed_work(xnl_twins.wq, &xnl_twins.work, 0);
	flush_delayed_work(&xnl_twins.work);
	cancel_delayed_work_sync(&xnl_twins.work);
	destroy_workqueue(xnl_twins.wq);
}
