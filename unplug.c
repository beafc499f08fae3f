// SPDX-License-Identifier: GPL-2.0
/*
 * The commit of unplug=unplug, weighed: takes the census of vifs and NICs that
 * nic_commit_guard() judges by, says what stands in the way, waits until
 * nothing has for two seconds, and has port.c write the port. Runs in the work
 * item of twin_work.c but for what is said to be called under the lock.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/crash_dump.h>
#include <linux/slab.h>
#include <xen/xen.h>
#include <xen/xenbus.h>

#include "twin.h"

#define STEADY	(2 * HZ)

/* The census. Only the work item uses it. */
static struct {
	struct nic_commit facts;
	char culprit[NIC_GUARDS][XNL_TWIN_NAME];
} census;

/* Under xnl_twins.lock: */
static bool committed;		/* this device model has unplugged its NICs */
static bool settled;		/* it will not: do not ask it again */
static bool weighed;		/* the three below are valid */
static bool said;		/* @guard was logged */
static enum nic_guard guard;
static unsigned long since;	/* when @guard became what it is */

/**
 * xnl_unplug_is_hvm() - can this guest have emulated NICs at all
 *
 * Return: false in PV and PVH guests, in dom0, and off x86.
 */
bool xnl_unplug_is_hvm(void)
{
	return IS_ENABLED(CONFIG_XEN_PVHVM) && xen_hvm_domain() &&
	       !xen_pvh_domain() && !xen_initial_domain();
}

/**
 * xnl_unplug_done() - has this device model unplugged its NICs for us
 *
 * Context: xnl_twins.lock held.
 */
bool xnl_unplug_done(void)
{
	return committed;
}

/**
 * xnl_unplug_reset() - weigh anew
 * @resumed: the device model is a fresh one
 *
 * Context: xnl_twins.lock held.
 */
void xnl_unplug_reset(bool resumed)
{
	weighed = false;
	if (resumed) {
		committed = false;
		settled = false;
	}
}

/**
 * xnl_unplug_obstacle() - why the port was not written yet, in words
 *
 * Context: xnl_twins.lock held.
 */
const char *xnl_unplug_obstacle(void)
{
	if (!weighed)
		return "not weighed yet";
	if (settled && guard == NIC_GUARD_NONE)
		return "the host was asked, and no NIC vanished";
	return nic_guard_text(guard);
}

/**
 * xnl_unplug_rescan() - have PCI find a NIC that a fresh device model brought
 */
void xnl_unplug_rescan(void)
{
	struct pci_bus *bus;

	pci_lock_rescan_remove();
	bus = pci_find_bus(0, 0);
	if (bus)
		pci_rescan_bus(bus);
	pci_unlock_rescan_remove();
}

static void blame(enum nic_guard which, const char *name)
{
	if (!*census.culprit[which])
		strscpy(census.culprit[which], name, XNL_TWIN_NAME);
}

static void count_twin(const struct xnl_twin *twin)
{
	struct nic_commit *facts = &census.facts;

	facts->again |= twin->vif.committed && twin->vif.twin == NIC_TWIN_NONE;
	if (twin->vif.twin == NIC_TWIN_BUSY) {
		facts->busy++;
		blame(NIC_GUARD_BUSY, twin->name);
	} else if (twin->vif.twin == NIC_TWIN_AMBIGUOUS) {
		facts->ambiguous++;
		blame(NIC_GUARD_AMBIGUOUS, twin->name);
	} else if (twin->vif.twin == NIC_TWIN_RETURNED) {
		facts->returned++;
		blame(NIC_GUARD_RETURNED, twin->name);
	}
	if (!twin->xdev || twin->vif.type == NIC_TYPE_VIF)
		return;
	if (twin->vif.link != NIC_LINK_CONNECTED) {
		facts->unconnected++;
		blame(NIC_GUARD_NOT_CONNECTED, twin->name);
	} else if (twin->vif.twin == NIC_TWIN_NONE) {
		facts->twinless++;
	}
}

static void count_twins(void)
{
	struct xnl_twin *twin;

	spin_lock(&xnl_twins.lock);
	list_for_each_entry(twin, &xnl_twins.list, node)
		if (!twin->dead)
			count_twin(twin);
	spin_unlock(&xnl_twins.lock);
}

static void count_functions(void)
{
	struct nic_commit *facts = &census.facts;
	struct pci_dev *pdev = NULL;
	struct xnl_twin *twin;
	u8 state;

	while ((pdev = pci_get_class(PCI_CLASS_NETWORK_ETHERNET << 8, pdev))) {
		spin_lock(&xnl_twins.lock);
		twin = xnl_twin_of_function(pdev);
		state = twin ? twin->vif.twin : NIC_TWIN_NONE;
		spin_unlock(&xnl_twins.lock);
		if (state == NIC_TWIN_HIDDEN || state == NIC_TWIN_ORPHAN) {
			facts->withheld++;
		} else if (twin && state != NIC_TWIN_NONE) {
			continue;
		} else if (pdev->dev.driver) {
			facts->foreign_nics++;
			blame(NIC_GUARD_FOREIGN_NIC, pci_name(pdev));
		} else if (xnl_nic_could_be_emulated(pdev)) {
			facts->unmatched++;
			blame(NIC_GUARD_UNMATCHED, pci_name(pdev));
		}
	}
}

static bool vif_is_ours(const char *node)
{
	struct xnl_twin *twin;
	bool ours = false;

	spin_lock(&xnl_twins.lock);
	list_for_each_entry(twin, &xnl_twins.list, node)
		ours |= twin->xdev && !strcmp(twin->xdev->nodename, node);
	spin_unlock(&xnl_twins.lock);
	return ours;
}

static bool vif_may_have_twin(const char *node)
{
	char *backend = xenbus_read(XBT_NIL, node, "backend", NULL);
	bool may = true;
	char *type;

	if (IS_ERR(backend))
		return true;
	type = xenbus_read(XBT_NIL, backend, "type", NULL);
	if (!IS_ERR(type)) {
		may = nic_vif_type_parse(type) != NIC_TYPE_VIF;
		kfree(type);
	}
	kfree(backend);
	return may;
}

/* Vifs of another driver, or of none, are known to xenstore only. */
static void count_foreign_vifs(void)
{
	unsigned int count, i;
	char node[64];
	char **ids;

	ids = xenbus_directory(XBT_NIL, "device", "vif", &count);
	if (IS_ERR(ids))
		return;
	for (i = 0; i < count; i++) {
		snprintf(node, sizeof(node), "device/vif/%s", ids[i]);
		if (vif_is_ours(node) || !vif_may_have_twin(node))
			continue;
		census.facts.foreign_vifs++;
		blame(NIC_GUARD_FOREIGN_VIF, node);
	}
	kfree(ids);
}

static enum nic_guard weigh(void)
{
	memset(&census, 0, sizeof(census));
	census.facts.hvm = xnl_unplug_is_hvm();
	census.facts.kdump = is_kdump_kernel();
	census.facts.force = READ_ONCE(xnl_unplug_force);
	census.facts.port = xnl_port_ask();
	count_twins();
	count_functions();
	count_foreign_vifs();
	return nic_commit_guard(&census.facts);
}

static void say_guard(enum nic_guard now)
{
	const char *culprit = census.culprit[now];

	if (now == NIC_GUARD_NONE)
		return;
	pr_info("unplug not committed: %s%s%s\n", nic_guard_text(now),
		*culprit ? ": " : "", culprit);
}

static bool fate(struct pci_dev *pdev, enum xnl_fate what)
{
	struct xnl_twin *twin;

	spin_lock(&xnl_twins.lock);
	twin = xnl_twin_of_function(pdev);
	if (twin && what == XNL_FATE_VANISHED)
		xnl_twin_event(twin, NIC_EV_COMMITTED);
	if (twin && what == XNL_FATE_SURVIVED)
		xnl_twin_event(twin, NIC_EV_SURVIVED);
	spin_unlock(&xnl_twins.lock);
	return !twin;
}

/* Vifs whose twin no driver had ever shown: it went with the others. */
static void note_unseen(void)
{
	struct xnl_twin *twin;

	list_for_each_entry(twin, &xnl_twins.list, node)
		if (!twin->dead && twin->xdev &&
		    twin->vif.type != NIC_TYPE_VIF &&
		    twin->vif.twin == NIC_TWIN_NONE)
			xnl_twin_event(twin, NIC_EV_COMMITTED);
}

static void commit(void)
{
	int gone = xnl_port_commit(fate);

	spin_lock(&xnl_twins.lock);
	settled = true;
	if (gone > 0) {
		committed = true;
		note_unseen();
	}
	spin_unlock(&xnl_twins.lock);

	if (gone > 0)
		pr_info("unplug committed: the host has removed %d NIC%s\n",
			gone, gone > 1 ? "s" : "");
	else if (!gone)
		pr_warn("unplug: no NIC vanished, the host is not asked again before a resume\n");
	else
		pr_warn("unplug: refused (%d), the host is not asked again before a resume\n",
			gone);
}

/*
 * Note the answer; true where it has been the same for long enough. An
 * obstacle that may pass by itself is said only then.
 */
static bool steady(enum nic_guard now)
{
	bool long_enough, say;

	spin_lock(&xnl_twins.lock);
	if (!weighed || guard != now) {
		since = jiffies;
		said = false;
	}
	weighed = true;
	guard = now;
	settled |= nic_guard_is_final(now);
	long_enough = time_after_eq(jiffies, since + STEADY);
	say = !said && (long_enough || !nic_guard_is_passing(now));
	said |= say;
	spin_unlock(&xnl_twins.lock);
	if (say)
		say_guard(now);
	return long_enough;
}

/**
 * xnl_unplug_consider() - commit, if nothing stands in the way
 *
 * Return: when to ask again, in jiffies; 0 where the next event is soon
 * enough.
 */
unsigned long xnl_unplug_consider(void)
{
	enum nic_guard now;

	if (READ_ONCE(settled) || list_empty(&xnl_twins.list))
		return 0;
	now = weigh();
	if (steady(now) && now == NIC_GUARD_NONE)
		commit();
	if (READ_ONCE(settled) || (said && now != NIC_GUARD_NONE))
		return 0;
	return (since + STEADY) ?: 1;
}
