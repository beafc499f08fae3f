// SPDX-License-Identifier: GPL-2.0
/*
 * One emulated NIC, touched: what it is, whether it is in use, its ifalias,
 * and a driver bound to it again. Decides nothing and keeps nothing. A NIC is
 * known by its PCI function; the device its driver is bound to is that
 * function or the virtio device upon it. Process context throughout.
 */
#include <linux/etherdevice.h>
#include <linux/if_arp.h>
#include <linux/kmod.h>
#include <linux/kobject.h>
#include <linux/rtnetlink.h>
#include <linux/rwsem.h>
#include <linux/virtio.h>
#include <net/net_namespace.h>

#include "twin.h"

static bool is_virtio(const struct device *dev)
{
	return dev->bus && !strcmp(dev->bus->name, "virtio");
}

static struct pci_dev *netdev_function(const struct net_device *netdev)
{
	struct device *parent = netdev->dev.parent;

	if (parent && is_virtio(parent))
		parent = parent->parent;
	return parent && dev_is_pci(parent) ? to_pci_dev(parent) : NULL;
}

/**
 * xnl_nic_could_be_emulated() - is a function where emulated NICs are
 * @pdev: any PCI function
 *
 * The device model puts emulated NICs on bus 0 and unplugs by class alone.
 *
 * Return: true for an Ethernet controller on PCI bus 0.
 */
bool xnl_nic_could_be_emulated(const struct pci_dev *pdev)
{
	return pdev->class >> 8 == PCI_CLASS_NETWORK_ETHERNET &&
	       pci_is_root_bus(pdev->bus) && !pdev->bus->number &&
	       !pci_domain_nr(pdev->bus);
}

/**
 * xnl_nic_describe() - the facts that nic_match() judges by
 * @netdev: a netdev, registered or about to be (NETDEV_POST_INIT)
 * @nic: filled in
 * @pdev: set to its PCI function, valid as long as @netdev is
 *
 * While a netdev is being registered its perm_addr is still zero, and dev_addr
 * is what the driver has read from the card. Later a user may have changed
 * dev_addr, which changes nothing here.
 *
 * Context: RTNL held. Does not sleep.
 * Return: false where @netdev sits on no PCI function: a VLAN, a bond, a vif.
 */
bool xnl_nic_describe(const struct net_device *netdev,
		      struct nic_candidate *nic, struct pci_dev **pdev)
{
	const u8 *mac = netdev->perm_addr;

	*pdev = netdev_function(netdev);
	if (!*pdev || netdev->addr_len != ETH_ALEN)
		return false;
	if (is_zero_ether_addr(mac) &&
	    netdev->addr_assign_type == NET_ADDR_PERM)
		mac = netdev->dev_addr;

	*nic = (struct nic_candidate){
		.ethernet = netdev->type == ARPHRD_ETHER,
		.pci = true,
		.root_bus = xnl_nic_could_be_emulated(*pdev),
		.pcie = pci_is_pcie(*pdev),
		.class = (*pdev)->class >> 8,
		.subvendor = (*pdev)->subsystem_vendor,
		.subdevice = (*pdev)->subsystem_device,
	};
	ether_addr_copy(nic->mac, mac);
	return true;
}

/**
 * xnl_nic_for_each() - show every registered netdev of every namespace
 * @seen: called under RTNL
 * @data: handed to it
 */
void xnl_nic_for_each(void (*seen)(struct net_device *netdev, void *data),
		      void *data)
{
	struct net_device *netdev;
	struct net *net;

	rtnl_lock();
	down_read(&net_rwsem);
	for_each_net(net)
		for_each_netdev(net, netdev)
			seen(netdev, data);
	up_read(&net_rwsem);
	rtnl_unlock();
}

struct up_search {
	const struct device *dev;
	bool up;
};

static void up_seen(struct net_device *netdev, void *data)
{
	struct up_search *search = data;

	if (netdev->dev.parent == search->dev && netdev->flags & IFF_UP)
		search->up = true;
}

/**
 * xnl_nic_is_up() - is a netdev of a device administratively UP
 * @dev: what its driver is bound to
 */
bool xnl_nic_is_up(const struct device *dev)
{
	struct up_search search = { .dev = dev };

	xnl_nic_for_each(up_seen, &search);
	return search.up;
}

static void alias_text(char *text, size_t size, const char *vif)
{
	snprintf(text, size, "emulated twin of %s", vif);
}

static bool alias_is(const struct net_device *netdev, const char *text)
{
	const struct dev_ifalias *alias;
	bool same;

	rcu_read_lock();
	alias = rcu_dereference(netdev->ifalias);
	same = alias ? !strcmp(alias->ifalias, text) : !*text;
	rcu_read_unlock();
	return same;
}

/**
 * xnl_nic_set_alias() - name a twin in its ifalias, unless a user gave it one
 * @netdev: the twin's netdev, registered or about to be
 * @vif: the name of its vif
 *
 * Set during NETDEV_POST_INIT it is there when udev first hears of the netdev.
 */
void xnl_nic_set_alias(struct net_device *netdev, const char *vif)
{
	char text[IFALIASZ];

	alias_text(text, sizeof(text), vif);
	if (alias_is(netdev, ""))
		dev_set_alias(netdev, text, strlen(text));
}

struct alias_job {
	const struct device *dev;
	char text[IFALIASZ];
	bool set;
};

static void alias_seen(struct net_device *netdev, void *data)
{
	const struct alias_job *job = data;

	if (netdev->dev.parent != job->dev ||
	    !alias_is(netdev, job->set ? "" : job->text))
		return;
	dev_set_alias(netdev, job->text, job->set ? strlen(job->text) : 0);
	kobject_uevent(&netdev->dev.kobj, KOBJ_CHANGE);
}

/**
 * xnl_nic_alias() - name or un-name the netdevs of a twin
 * @dev: what the twin's driver is bound to
 * @vif: the name of its vif
 * @set: give them the ifalias, or take it back where it is still ours
 *
 * udev is told, so that its rules see the change.
 */
void xnl_nic_alias(const struct device *dev, const char *vif, bool set)
{
	struct alias_job job = { .dev = dev, .set = set };

	alias_text(job.text, sizeof(job.text), vif);
	xnl_nic_for_each(alias_seen, &job);
}

static void load_driver(struct device *dev, const struct pci_dev *pdev)
{
	request_module("pci:v%08Xd%08Xsv%08Xsd%08Xbc%02Xsc%02Xi%02X",
		       pdev->vendor, pdev->device, pdev->subsystem_vendor,
		       pdev->subsystem_device, (u8)(pdev->class >> 16),
		       (u8)(pdev->class >> 8), (u8)pdev->class);
	if (is_virtio(dev)) {
		struct virtio_device *vdev = dev_to_virtio(dev);

		request_module("virtio:d%08Xv%08X", vdev->id.device,
			       vdev->id.vendor);
	}
}

/**
 * xnl_nic_give_back() - let a driver have the NIC again
 * @dev: what its driver was bound to
 * @pdev: its PCI function
 *
 * Context: no lock held; both references are the caller's. May load a module.
 * Return: true where a driver is bound now.
 */
bool xnl_nic_give_back(struct device *dev, struct pci_dev *pdev)
{
	if (device_attach(dev) == 1)
		return true;
	load_driver(dev, pdev);
	return device_attach(dev) == 1 ||
	       (dev != &pdev->dev && device_attach(&pdev->dev) == 1);
}
