/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of the policy's hands know of each other: twin.c keeps
 * the records and asks nic_events.h, twin_vif.c is the vif's side, twin_work.c
 * acts, nic.c touches one emulated NIC, unplug.c weighs the commit and port.c
 * carries it out. Nothing here is for the driver proper, which
 * knows only the calls that xennet_lite.h lists.
 */
#ifndef XNL_TWIN_H
#define XNL_TWIN_H

#include <linux/list.h>
#include <linux/netdevice.h>
#include <linux/pci.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "nic_policy.h"

/* xennet_lite.c: module parameters, written by root at any time */
extern unsigned int xnl_unplug_timeout;
extern bool xnl_unplug_force;

#define XNL_TWIN_NAME	32	/* a xenbus device's: vif-0 */

/**
 * struct xnl_twin - one vif's record, or an orphan's
 * @node: in xnl_twins.list
 * @vif: what nic_policy.h knows and decides
 * @xdev: the vif; NULL once it is no longer ours
 * @pdev: the twin's PCI function, referenced, NULL where none is known
 * @dev: what its driver is bound to (@pdev or a virtio device), referenced
 * @deadline: when the vif must be connected, in jiffies, if @timed
 * @cool_at: when a NIC that was given back may be hidden again, if @cooling
 * @todo: NIC_DO_ bits that the work item owes
 * @timed: @deadline is set
 * @cooling: @cool_at is set
 * @retry: look again at @cool_at
 * @up: the twin is administratively UP
 * @told: a repeated refusal was logged
 * @dead: to be freed once @todo is done; matches nothing any more
 * @name: the vif's name
 * @why: the reason for the state
 */
struct xnl_twin {
	struct list_head node;
	struct nic_vif vif;
	struct xenbus_device *xdev;
	struct pci_dev *pdev;
	struct device *dev;
	unsigned long deadline;
	unsigned long cool_at;
	u16 todo;
	bool timed;
	bool cooling;
	bool retry;
	bool up;
	bool told;
	bool dead;
	char name[XNL_TWIN_NAME];
	char why[160];
};

/**
 * struct xnl_twins - all records, and what is common to them
 * @lock: guards everything here and every record; the innermost of all locks,
 *	taken under RTNL by the notifier
 * @list: of struct xnl_twin
 * @asked: enum nic_policy, unplug= as it was written
 * @armed: the policy acts; false in guests without emulated NICs
 * @scan: the work item is to look at all netdevs
 * @rescan: the work item is to have the PCI bus scanned
 * @wq: ordered and freezable
 * @work: on @wq, kicked by every event
 */
struct xnl_twins {
	spinlock_t lock;	/* see above */
	struct list_head list;
	u8 asked;
	bool armed;
	bool scan;
	bool rescan;
	struct workqueue_struct *wq;
	struct delayed_work work;
};

extern struct xnl_twins xnl_twins;

/* twin.c: the first two by the parameters, before init and after it too */
int xnl_twin_set_policy(u8 policy);
u8 xnl_twin_policy(void);
void xnl_twin_reconsider(void);
u8 xnl_twin_effective_policy(void);
u8 xnl_twin_circumstances(const struct xnl_twin *twin);
void xnl_twin_say(const struct xnl_twin *twin, bool warn);
u16 xnl_twin_event(struct xnl_twin *twin, u8 event);
u16 xnl_twin_event_detail(struct xnl_twin *twin, u8 event, const char *detail);
struct xnl_twin *xnl_twin_of_function(const struct pci_dev *pdev);
u16 xnl_twin_sighting(struct net_device *netdev, u8 event, char *name);

/* twin_work.c */
void xnl_twin_work(struct work_struct *work);

/* nic.c */
bool xnl_nic_describe(const struct net_device *netdev,
		      struct nic_candidate *nic, struct pci_dev **pdev);
bool xnl_nic_could_be_emulated(const struct pci_dev *pdev);
void xnl_nic_for_each(void (*seen)(struct net_device *netdev, void *data),
		      void *data);
bool xnl_nic_is_up(const struct device *dev);
void xnl_nic_set_alias(struct net_device *netdev, const char *vif);
void xnl_nic_alias(const struct device *dev, const char *vif, bool set);
bool xnl_nic_give_back(struct device *dev, struct pci_dev *pdev);

/* unplug.c */
bool xnl_unplug_is_hvm(void);
bool xnl_unplug_done(void);
void xnl_unplug_reset(bool resumed);
const char *xnl_unplug_obstacle(void);
unsigned long xnl_unplug_consider(void);
void xnl_unplug_rescan(void);

/* port.c */
enum xnl_fate {
	XNL_FATE_VANISHED,	/* about to be removed from the bus */
	XNL_FATE_SURVIVED,	/* others vanished, this one did not */
	XNL_FATE_IGNORED	/* nothing vanished at all */
};

enum nic_port xnl_port_ask(void);
int xnl_port_commit(bool (*fate)(struct pci_dev *pdev, enum xnl_fate what));

#endif /* XNL_TWIN_H */
