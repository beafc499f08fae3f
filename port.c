// SPDX-License-Identifier: GPL-2.0
/*
 * The device model, spoken to: the port at which a guest asks it to unplug its
 * emulated NICs, and the PCI functions that vanish or survive. All or nothing,
 * and for this device model's life; unplug.c weighs whether to. The protocol
 * is in Xen's docs/misc/hvm-emulated-unplug.pandoc. Process context, no lock
 * held.
 */
#include <linux/bitmap.h>
#include <linux/io.h>
#include <xen/platform_pci.h>

#include "twin.h"

#define PRODUCT_EXPERIMENTAL	0xffff
#define MAGIC_REFUSED		0xd249
#define DEVFNS			256

#ifdef CONFIG_XEN_PVHVM
static enum nic_port port_magic(void)
{
	u16 magic = inw(XEN_IOPORT_MAGIC);

	if (magic == MAGIC_REFUSED)
		return NIC_PORT_REFUSED;
	return magic == XEN_IOPORT_MAGIC_VAL ? NIC_PORT_OK : NIC_PORT_ABSENT;
}

/**
 * xnl_port_ask() - ask the port what it speaks, changing nothing
 *
 * Only in a guest of which xnl_unplug_is_hvm() is true.
 *
 * Return: enum nic_port.
 */
enum nic_port xnl_port_ask(void)
{
	enum nic_port port = port_magic();

	if (port == NIC_PORT_OK && inb(XEN_IOPORT_PROTOVER) > 1)
		return NIC_PORT_VERSION;
	return port;
}

static enum nic_port port_unplug_nics(void)
{
	enum nic_port port = xnl_port_ask();

	if (port != NIC_PORT_OK)
		return port;
	if (inb(XEN_IOPORT_PROTOVER) == 1) {
		outw(PRODUCT_EXPERIMENTAL, XEN_IOPORT_PRODNUM);
		outl(XEN_IOPORT_LINUX_DRVVER, XEN_IOPORT_DRVVER);
		port = port_magic();
		if (port != NIC_PORT_OK)
			return port;
	}
	outw(XEN_UNPLUG_ALL_NICS, XEN_IOPORT_UNPLUG);
	return NIC_PORT_OK;
}
#else
enum nic_port xnl_port_ask(void)
{
	return NIC_PORT_ABSENT;
}

static enum nic_port port_unplug_nics(void)
{
	return NIC_PORT_ABSENT;
}
#endif

/*
 * Ethernet functions that answer on bus 0, known to this kernel or not: after
 * a resume the bus may hold one that the kernel has removed.
 */
static unsigned int count_functions(void)
{
	struct pci_bus *bus = pci_find_bus(0, 0);
	unsigned int devfn, found = 0;
	u32 class;

	for (devfn = 0; bus && devfn < DEVFNS; devfn++) {
		if (pci_bus_read_config_dword(bus, devfn, PCI_CLASS_REVISION,
					      &class))
			continue;
		found += class >> 16 == PCI_CLASS_NETWORK_ETHERNET;
	}
	return found;
}

static struct pci_dev *next_function(struct pci_dev *pdev)
{
	do {
		pdev = pci_get_class(PCI_CLASS_NETWORK_ETHERNET << 8, pdev);
	} while (pdev && !xnl_nic_could_be_emulated(pdev));
	return pdev;
}

static void release_drivers(unsigned long *released)
{
	struct pci_dev *pdev = NULL;

	while ((pdev = next_function(pdev))) {
		if (!pdev->dev.driver)
			continue;
		device_release_driver(&pdev->dev);
		__set_bit(pdev->devfn, released);
	}
}

/* Removing a function upsets the walk, so each one found restarts it. */
static bool remove_one_vanished(bool (*fate)(struct pci_dev *, enum xnl_fate))
{
	struct pci_dev *pdev = NULL;

	while ((pdev = next_function(pdev))) {
		if (pci_device_is_present(pdev))
			continue;
		fate(pdev, XNL_FATE_VANISHED);
		pci_stop_and_remove_bus_device(pdev);
		pci_dev_put(pdev);
		return true;
	}
	return false;
}

static void keep_survivors(const unsigned long *released, enum xnl_fate what,
			   bool (*fate)(struct pci_dev *, enum xnl_fate))
{
	struct pci_dev *pdev = NULL;

	while ((pdev = next_function(pdev))) {
		if (!fate(pdev, what) || !test_bit(pdev->devfn, released))
			continue;
		if (!xnl_nic_give_back(&pdev->dev, pdev))
			pci_warn(pdev, "survived the unplug, but no driver takes it\n");
	}
}

/**
 * xnl_port_commit() - have the device model unplug its NICs, for good
 * @fate: told what became of each Ethernet function on bus 0; returns whether
 *	a driver that was released for the unplug may have it again
 *
 * Return: number of functions that vanished; 0 where the host ignored us,
 * -ENODEV where it does not speak the protocol, -EPERM where it refuses us.
 */
int xnl_port_commit(bool (*fate)(struct pci_dev *pdev, enum xnl_fate what))
{
	DECLARE_BITMAP(released, DEVFNS) = {};
	unsigned int before, after;
	enum nic_port port;

	release_drivers(released);
	pci_lock_rescan_remove();
	before = count_functions();
	port = port_unplug_nics();
	after = count_functions();
	while (after < before && remove_one_vanished(fate))
		;
	pci_unlock_rescan_remove();
	keep_survivors(released, after < before ? XNL_FATE_SURVIVED
						: XNL_FATE_IGNORED, fate);
	if (port == NIC_PORT_REFUSED)
		return -EPERM;
	if (port != NIC_PORT_OK)
		return -ENODEV;
	return before - after;
}
