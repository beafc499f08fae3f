// SPDX-License-Identifier: GPL-2.0
/*
 * The vif's side of the NIC policy: the calls by which the driver proper says
 * that a vif came, connected, failed or went, what xenstore says of it, and
 * its file `twin` in sysfs. Process context, no RTNL held.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/etherdevice.h>
#include <linux/slab.h>
#include <xen/xenbus.h>

#include "twin.h"
#include "xennet_lite.h"

static char *read_key(const char *dir, const char *key)
{
	char *text = dir ? xenbus_read(XBT_NIL, dir, key, NULL) : NULL;

	return IS_ERR(text) ? NULL : text;
}

static bool read_mac(const char *dir, u8 *mac)
{
	char *text = read_key(dir, "mac");
	bool ok = text && mac_pton(text, mac) && is_valid_ether_addr(mac);

	kfree(text);
	return ok;
}

static void twin_describe_vif(struct xnl_twin *twin,
			      struct xenbus_device *xdev)
{
	char *type = read_key(xdev->otherend, "type");

	/* The guest can write the frontend's copy, so the host's goes first. */
	twin->vif.mac_ok = read_mac(xdev->otherend, twin->vif.mac) ||
			   read_mac(xdev->nodename, twin->vif.mac);
	twin->vif.type = nic_vif_type_parse(type);
	kfree(type);

	strscpy(twin->why, "no emulated NIC of its address was seen",
		sizeof(twin->why));
	if (twin->vif.type == NIC_TYPE_VIF)
		strscpy(twin->why, "the host says that it has no emulated NIC",
			sizeof(twin->why));
	if (twin->vif.mac_ok && twin->vif.type != NIC_TYPE_BROKEN)
		return;
	strscpy(twin->why, "the host gave it no valid address or type",
		sizeof(twin->why));
	xnl_twin_say(twin, true);
}

/*
 * A vif comes back while its twin is still withheld. One of type `vif` does
 * not get it: it may lead to another network than the emulated NIC does.
 */
static void twin_adopt_orphan(struct xnl_twin *twin)
{
	struct xnl_twin *orphan;

	if (!twin->vif.mac_ok || twin->vif.type == NIC_TYPE_VIF ||
	    twin->vif.type == NIC_TYPE_BROKEN)
		return;
	list_for_each_entry(orphan, &xnl_twins.list, node) {
		if (orphan->dead || orphan->vif.twin != NIC_TWIN_ORPHAN ||
		    !ether_addr_equal(orphan->vif.mac, twin->vif.mac))
			continue;
		swap(twin->pdev, orphan->pdev);
		swap(twin->dev, orphan->dev);
		swap(twin->todo, orphan->todo);
		twin->vif.sure = orphan->vif.sure;
		orphan->dead = true;
		xnl_twin_event(twin, NIC_EV_VIF_ADOPTS);
		return;
	}
}

static struct xnl_twin *twin_of_vif(const struct device *dev)
{
	struct xnl_twin *twin;

	list_for_each_entry(twin, &xnl_twins.list, node)
		if (twin->xdev && &twin->xdev->dev == dev)
			return twin;
	return NULL;
}

static ssize_t twin_show(struct device *dev, struct device_attribute *attr,
			 char *buf)
{
	struct xnl_twin *twin;
	ssize_t len = 0;

	spin_lock(&xnl_twins.lock);
	twin = twin_of_vif(dev);
	if (twin)
		len = sysfs_emit(buf, "%s %s %s",
				 nic_twin_state_name(twin->vif.twin),
				 twin->pdev ? pci_name(twin->pdev) : "-",
				 twin->why);
	if (twin && twin->vif.twin == NIC_TWIN_HIDDEN &&
	    xnl_twin_effective_policy() == NIC_UNPLUG)
		len += sysfs_emit_at(buf, len, "; not unplugged: %s",
				     xnl_unplug_obstacle());
	spin_unlock(&xnl_twins.lock);
	if (len)
		len += sysfs_emit_at(buf, len, "\n");
	return len;
}

static ssize_t twin_store(struct device *dev, struct device_attribute *attr,
			  const char *buf, size_t count)
{
	struct xnl_twin *twin;
	bool done = false;

	if (!sysfs_streq(buf, "give-back"))
		return -EINVAL;
	spin_lock(&xnl_twins.lock);
	twin = twin_of_vif(dev);
	if (twin)
		done = xnl_twin_event(twin, NIC_EV_GIVE_BACK) ||
		       twin->vif.by_hand;
	spin_unlock(&xnl_twins.lock);
	return done ? count : -ENODEV;
}

static DEVICE_ATTR_RW(twin);

/**
 * xnl_twin_vif_add() - a vif is ours from now on
 * @xdev: its xenbus device, the other end known
 *
 * Context: process, no RTNL.
 * Return: the handle for the calls below, which take NULL too; NULL without
 * memory and in guests that have no emulated NICs.
 */
struct xnl_twin *xnl_twin_vif_add(struct xenbus_device *xdev)
{
	struct xnl_twin *twin;

	if (!READ_ONCE(xnl_twins.armed))
		return NULL;
	twin = kzalloc(sizeof(*twin), GFP_KERNEL);
	if (!twin)
		return NULL;
	twin->xdev = xdev;
	strscpy(twin->name, dev_name(&xdev->dev), sizeof(twin->name));
	twin_describe_vif(twin, xdev);

	spin_lock(&xnl_twins.lock);
	list_add_tail(&twin->node, &xnl_twins.list);
	twin_adopt_orphan(twin);
	xnl_twin_event(twin, NIC_EV_VIF_ADDED);
	spin_unlock(&xnl_twins.lock);

	if (device_create_file(&xdev->dev, &dev_attr_twin))
		pr_warn("%s: no file 'twin' in sysfs\n", twin->name);
	return twin;
}

static void vif_event(struct xnl_twin *twin, u8 event, const char *detail)
{
	if (!twin)
		return;
	spin_lock(&xnl_twins.lock);
	xnl_twin_event_detail(twin, event, detail);
	spin_unlock(&xnl_twins.lock);
}

/**
 * xnl_twin_vif_connected() - a vif carries traffic
 * @twin: its handle
 * @netdev: its netdev
 */
void xnl_twin_vif_connected(struct xnl_twin *twin, struct net_device *netdev)
{
	vif_event(twin, NIC_EV_VIF_CONNECTED, NULL);
}

/**
 * xnl_twin_vif_failed() - a vif will not work, or not any more
 * @twin: its handle
 * @why: the reason for the log, may be NULL
 */
void xnl_twin_vif_failed(struct xnl_twin *twin, const char *why)
{
	vif_event(twin, NIC_EV_VIF_FAILED, why);
}

/* A backend directory that vanished died; one that says 0 is being removed. */
static bool vif_is_leaving(const struct xenbus_device *xdev)
{
	return xdev->otherend &&
	       !xenbus_read_unsigned(xdev->otherend, "online", 1);
}

/**
 * xnl_twin_vif_lost() - the backend is closing, closed or gone
 * @twin: the vif's handle
 */
void xnl_twin_vif_lost(struct xnl_twin *twin)
{
	if (twin)
		vif_event(twin, vif_is_leaving(twin->xdev) ?
			  NIC_EV_VIF_LEAVING : NIC_EV_VIF_LOST, NULL);
}

/**
 * xnl_twin_vif_removed() - our driver lets go of a vif
 * @twin: its handle, invalid afterwards
 *
 * The host removed the vif where its node is gone or it was put offline; else
 * this is an unbind, an unload or a failed probe.
 */
void xnl_twin_vif_removed(struct xnl_twin *twin)
{
	struct xenbus_device *xdev;
	bool purpose;

	if (!twin)
		return;
	xdev = twin->xdev;
	purpose = vif_is_leaving(xdev) ||
		  !xenbus_exists(XBT_NIL, xdev->nodename, "");
	device_remove_file(&xdev->dev, &dev_attr_twin);

	spin_lock(&xnl_twins.lock);
	twin->xdev = NULL;
	xnl_twin_event(twin, purpose ? NIC_EV_VIF_REMOVED : NIC_EV_VIF_UNBOUND);
	spin_unlock(&xnl_twins.lock);
}

