/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What becomes of the emulated NIC of an HVM guest: the decision, and nothing
 * but the decision. Every function here is pure: it maps the policy, one
 * vif's record, an event and the circumstances to the next record and a set
 * of actions, by a table that can be read row by row. It knows no PCI device,
 * no notifier and no lock (twin.c does), runs in any context, and builds in
 * user space too, where selftests/policy walks it. nic_events.h has
 * the table of events, this file the words it is written in, who is whose twin,
 * and the guards of the commit.
 */
#ifndef NIC_POLICY_H
#define NIC_POLICY_H

#ifdef __KERNEL__
#include <linux/kernel.h>
#include <linux/string.h>
#include <linux/types.h>
#else
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <linux/types.h>
typedef __u8 u8;
typedef __u16 u16;
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#endif

#define NIC_BIT(n) (1u << (n))

/* The values of the parameter unplug=. */
enum nic_policy {
	NIC_AUTO,
	NIC_HIDE,
	NIC_KEEP,
	NIC_UNPLUG,
	NIC_POLICIES
};

#define NIC_POLICY_LIST "auto, hide, keep, unplug"

static inline const char *nic_policy_name(unsigned int policy)
{
	static const char *const names[NIC_POLICIES] = {
		[NIC_AUTO] = "auto",
		[NIC_HIDE] = "hide",
		[NIC_KEEP] = "keep",
		[NIC_UNPLUG] = "unplug",
	};

	return policy < NIC_POLICIES ? names[policy] : "?";
}

/* State of the twin of one vif. */
enum nic_twin_state {
	NIC_TWIN_NONE,		/* no twin known */
	NIC_TWIN_VISIBLE,	/* known, shown on purpose (keep) */
	NIC_TWIN_BUSY,		/* in use: to be hidden once it is down */
	NIC_TWIN_HIDDEN,	/* its netdev is withheld */
	NIC_TWIN_ORPHAN,	/* withheld, its vif was removed on purpose */
	NIC_TWIN_RETURNED,	/* given back, or left alone for a failed vif */
	NIC_TWIN_AMBIGUOUS,	/* may be a passed-through NIC: left alone */
	NIC_TWIN_GONE,		/* unplugged */
	NIC_TWIN_STATES
};

static inline const char *nic_twin_state_name(unsigned int state)
{
	static const char *const names[NIC_TWIN_STATES] = {
		[NIC_TWIN_NONE] = "none",
		[NIC_TWIN_VISIBLE] = "visible",
		[NIC_TWIN_BUSY] = "busy",
		[NIC_TWIN_HIDDEN] = "hidden",
		[NIC_TWIN_ORPHAN] = "orphan",
		[NIC_TWIN_RETURNED] = "returned",
		[NIC_TWIN_AMBIGUOUS] = "ambiguous",
		[NIC_TWIN_GONE] = "gone",
	};

	return state < NIC_TWIN_STATES ? names[state] : "?";
}

/* The key `type` in a vif's backend directory. */
enum nic_vif_type {
	NIC_TYPE_ABSENT,	/* a toolstack that writes none */
	NIC_TYPE_VIF,		/* no emulated twin */
	NIC_TYPE_IOEMU,		/* an emulated twin exists */
	NIC_TYPE_BROKEN,	/* any other text: trusted for nothing */
	NIC_TYPES
};

static inline const char *nic_vif_type_name(unsigned int type)
{
	static const char *const names[NIC_TYPES] = {
		[NIC_TYPE_ABSENT] = "absent",
		[NIC_TYPE_VIF] = "vif",
		[NIC_TYPE_IOEMU] = "vif_ioemu",
		[NIC_TYPE_BROKEN] = "broken",
	};

	return type < NIC_TYPES ? names[type] : "?";
}

/* How the vif itself fares. */
enum nic_link {
	NIC_LINK_CONNECTING,
	NIC_LINK_CONNECTED,
	NIC_LINK_LOST,		/* the backend went away, it may come back */
	NIC_LINK_LEAVING,	/* the host is about to remove it */
	NIC_LINK_FAILED,
	NIC_LINK_REMOVED,	/* by the host, on purpose */
	NIC_LINKS
};

/* What can happen. */
enum nic_event {
	NIC_EV_SEEN,		/* a netdev of the twin is registered */
	NIC_EV_POST_INIT,	/* a netdev of the twin is about to be */
	NIC_EV_DOWN,		/* the twin was set down */
	NIC_EV_NETDEV_GONE,	/* the twin's netdev was unregistered */
	NIC_EV_FUNCTION_GONE,	/* the twin's PCI function was removed */
	NIC_EV_DOUBT,		/* a NIC was seen that might be the twin */
	NIC_EV_ABSENT,		/* the bus holds no NIC that could be it */
	NIC_EV_VIF_ADDED,
	NIC_EV_VIF_ADOPTS,	/* a new vif has the MAC of an orphan */
	NIC_EV_VIF_CONNECTED,
	NIC_EV_VIF_FAILED,
	NIC_EV_VIF_TIMEOUT,	/* not connected within unplug_timeout */
	NIC_EV_VIF_LOST,
	NIC_EV_VIF_LEAVING,	/* Closing, and the host said offline */
	NIC_EV_VIF_REMOVED,	/* on purpose */
	NIC_EV_VIF_UNBOUND,	/* our driver let go of it, it still exists */
	NIC_EV_RETRY,		/* the minute after a give-back is over */
	NIC_EV_GIVE_BACK,	/* root asked for it */
	NIC_EV_POLICY,		/* unplug= was written, the new one is given */
	NIC_EV_COMMITTED,	/* the unplug made the twin vanish */
	NIC_EV_SURVIVED,	/* the unplug did not */
	NIC_EV_RESUMED,		/* with a fresh device model */
	NIC_EV_CANCELLED,	/* a suspend that did not happen */
	NIC_EV_UNLOAD,
	NIC_EVENTS
};

static inline const char *nic_event_name(unsigned int event)
{
	static const char *const names[NIC_EVENTS] = {
		[NIC_EV_SEEN] = "seen",
		[NIC_EV_POST_INIT] = "post-init",
		[NIC_EV_DOWN] = "down",
		[NIC_EV_NETDEV_GONE] = "netdev-gone",
		[NIC_EV_FUNCTION_GONE] = "function-gone",
		[NIC_EV_DOUBT] = "doubt",
		[NIC_EV_ABSENT] = "absent",
		[NIC_EV_VIF_ADDED] = "vif-added",
		[NIC_EV_VIF_ADOPTS] = "vif-adopts",
		[NIC_EV_VIF_CONNECTED] = "vif-connected",
		[NIC_EV_VIF_FAILED] = "vif-failed",
		[NIC_EV_VIF_TIMEOUT] = "vif-timeout",
		[NIC_EV_VIF_LOST] = "vif-lost",
		[NIC_EV_VIF_LEAVING] = "vif-leaving",
		[NIC_EV_VIF_REMOVED] = "vif-removed",
		[NIC_EV_VIF_UNBOUND] = "vif-unbound",
		[NIC_EV_RETRY] = "retry",
		[NIC_EV_GIVE_BACK] = "give-back",
		[NIC_EV_POLICY] = "policy",
		[NIC_EV_COMMITTED] = "committed",
		[NIC_EV_SURVIVED] = "survived",
		[NIC_EV_RESUMED] = "resumed",
		[NIC_EV_CANCELLED] = "cancelled",
		[NIC_EV_UNLOAD] = "unload",
	};

	return event < NIC_EVENTS ? names[event] : "?";
}

/* What must follow. */
#define NIC_DO_REFUSE		NIC_BIT(0)	/* answer POST_INIT -ENODEV */
#define NIC_DO_RELEASE		NIC_BIT(1)	/* release its driver */
#define NIC_DO_GIVE_BACK	NIC_BIT(2)	/* attach a driver to it */
#define NIC_DO_ALIAS		NIC_BIT(3)	/* set its ifalias */
#define NIC_DO_UNALIAS		NIC_BIT(4)	/* take its ifalias back */
#define NIC_DO_TIMER		NIC_BIT(5)	/* restart unplug_timeout */
#define NIC_DO_NO_TIMER		NIC_BIT(6)	/* stop it */
#define NIC_DO_RETRY		NIC_BIT(7)	/* EV_RETRY after the minute */
#define NIC_DO_SCAN		NIC_BIT(8)	/* look at the NICs that exist */
#define NIC_DO_RESCAN_BUS	NIC_BIT(9)	/* have PCI find it again */
#define NIC_DO_FORGET		NIC_BIT(10)	/* drop the record when done */
#define NIC_DO_WARN		NIC_BIT(11)	/* say it as a warning */
#define NIC_DO_SAY		NIC_BIT(12)	/* say it though nothing changed */
#define NIC_DO_SAY_ONCE		NIC_BIT(13)	/* the same, once per pair */
#define NIC_DO_QUIET		NIC_BIT(14)	/* a passing state: say nothing */

/* Under which circumstances. */
#define NIC_IF_OK		NIC_BIT(0)	/* the vif has not failed */
#define NIC_IF_UP		NIC_BIT(1)	/* the twin is UP */
#define NIC_IF_FORCE		NIC_BIT(2)	/* unplug_force, not in auto */
#define NIC_IF_COOLING		NIC_BIT(3)	/* given back < a minute ago */
#define NIC_IF_TIMED		NIC_BIT(4)	/* unplug_timeout is not 0 */
#define NIC_IF_BY_HAND		NIC_BIT(5)	/* root has given it back */
#define NIC_IF_COMMITTED	NIC_BIT(6)	/* our unplug took it away */
#define NIC_IF_IOEMU		NIC_BIT(7)	/* the host says it has a twin */

/**
 * struct nic_vif - what the policy knows of one vif and its twin
 * @mac: the vif's address as the host assigned it
 * @mac_ok: @mac is a valid unicast address
 * @type: enum nic_vif_type
 * @link: enum nic_link
 * @twin: enum nic_twin_state
 * @sure: the recorded twin bears the subsystem ID of an emulated card
 * @by_hand: root has given the twin back; holds until unplug= is written
 * @committed: our unplug made the twin vanish; it is not on the PCI bus
 */
struct nic_vif {
	u8 mac[6];
	bool mac_ok;
	u8 type;
	u8 link;
	u8 twin;
	bool sure;
	bool by_hand;
	bool committed;
};

/**
 * struct nic_candidate - one NIC that may be a twin
 * @mac: its permanent address
 * @ethernet: its netdev is of type Ethernet
 * @pci: it sits on a PCI function, directly or by virtio
 * @root_bus: that function is on PCI bus 0
 * @pcie: that function has a PCI Express capability
 * @class: base and sub class of the function, 0x0200 for Ethernet
 * @subvendor: subsystem vendor ID
 * @subdevice: subsystem ID
 */
struct nic_candidate {
	u8 mac[6];
	bool ethernet;
	bool pci;
	bool root_bus;
	bool pcie;
	u16 class;
	u16 subvendor;
	u16 subdevice;
};

/**
 * struct nic_verdict - the answer to one event
 * @vif: the record as it is from now on
 * @actions: NIC_DO_ bits
 * @row: the row of the table of events, 0 where nothing follows
 * @why: the reason, for the log and for sysfs; NULL where nothing follows
 */
struct nic_verdict {
	struct nic_vif vif;
	u16 actions;
	u8 row;
	const char *why;
};

/**
 * nic_policy_parse() - the policy named by a text
 * @text: as written by root or given to modprobe, one newline may end it
 *
 * Return: enum nic_policy, or -1 where the text names none.
 */
static inline int nic_policy_parse(const char *text)
{
	size_t len = strcspn(text, "\n");
	int policy;

	if (text[len] && text[len + 1])
		return -1;
	for (policy = 0; policy < NIC_POLICIES; policy++)
		if (strlen(nic_policy_name(policy)) == len &&
		    !strncmp(nic_policy_name(policy), text, len))
			return policy;
	return -1;
}

/**
 * nic_vif_type_parse() - the type of a vif as its backend names it
 * @text: the value of the key, NULL where there is none
 *
 * Return: enum nic_vif_type; NIC_TYPE_BROKEN for a text of no meaning.
 */
static inline u8 nic_vif_type_parse(const char *text)
{
	if (!text)
		return NIC_TYPE_ABSENT;
	if (!strcmp(text, nic_vif_type_name(NIC_TYPE_VIF)))
		return NIC_TYPE_VIF;
	if (!strcmp(text, nic_vif_type_name(NIC_TYPE_IOEMU)))
		return NIC_TYPE_IOEMU;
	return NIC_TYPE_BROKEN;
}

/**
 * nic_policy_effective() - the policy that is carried out
 * @policy: the one that was asked for
 * @kdump: this is a crash kernel, which must not change the device model
 *
 * Return: NIC_KEEP, NIC_HIDE or NIC_UNPLUG.
 */
static inline u8 nic_policy_effective(u8 policy, bool kdump)
{
	if (policy == NIC_AUTO || (policy == NIC_UNPLUG && kdump))
		return NIC_HIDE;
	return policy;
}

/* What loading the module comes to, row 1 and the line of `auto`. */
enum nic_load {
	NIC_LOAD_ACTIVE,
	NIC_LOAD_INERT,		/* drive vifs, touch no PCI device */
	NIC_LOAD_DECLINE
};

/**
 * nic_load() - may the module load, and has it a policy to carry out
 * @policy: enum nic_policy
 * @xen: this is a Xen guest at all
 * @hvm: it is a fully virtualised one (x86, neither PV, PVH nor dom0)
 * @pv_nics: the kernel itself wants paravirtual NICs
 *
 * Return: enum nic_load.
 */
static inline enum nic_load nic_load(u8 policy, bool xen, bool hvm,
				     bool pv_nics)
{
	if (!xen || (policy == NIC_AUTO && !pv_nics))
		return NIC_LOAD_DECLINE;
	return hvm ? NIC_LOAD_ACTIVE : NIC_LOAD_INERT;
}

/**
 * nic_policy_locked() - may unplug= no longer be changed
 * @from: the policy so far
 * @to: the one that was written
 * @committed: this device model's NICs were unplugged by us
 *
 * Return: true where the answer has to be -EBUSY.
 */
static inline bool nic_policy_locked(u8 from, u8 to, bool committed)
{
	return committed && from != to;
}

/* Is a NIC the twin of a vif. */
enum nic_match {
	NIC_MATCH_NO,
	NIC_MATCH_TWIN,
	NIC_MATCH_DOUBT
};

/**
 * nic_emulated_id() - does the subsystem ID speak for an emulated card
 * @nic: the candidate
 */
static inline bool nic_emulated_id(const struct nic_candidate *nic)
{
	return (nic->subvendor == 0x1af4 && nic->subdevice == 0x1100) ||
	       (nic->subvendor == 0x5853 && nic->subdevice == 0x0001);
}

/**
 * nic_match() - is a NIC the twin of a vif
 * @vif: the vif's record
 * @nic: the candidate
 *
 * A backend of type `vif` has no twin, whatever the addresses say: a NIC of
 * the same address was passed through. Never looks at vendor and device: a
 * real card of an emulated model may be passed through.
 *
 * Return: enum nic_match.
 */
static inline enum nic_match nic_match(const struct nic_vif *vif,
				       const struct nic_candidate *nic)
{
	if (!vif->mac_ok || vif->type == NIC_TYPE_VIF ||
	    vif->type == NIC_TYPE_BROKEN)
		return NIC_MATCH_NO;
	if (!nic->ethernet || !nic->pci || !nic->root_bus ||
	    nic->class != 0x0200 || memcmp(nic->mac, vif->mac, 6))
		return NIC_MATCH_NO;
	if (nic->pcie && !nic_emulated_id(nic))
		return NIC_MATCH_DOUBT;
	return NIC_MATCH_TWIN;
}

/**
 * nic_match_rival() - a second function matches the vif that has a twin
 * @vif: the vif's record, with the first function in it
 * @nic: the second one, for which nic_match() did not say no
 *
 * Return: NIC_MATCH_NO where the first is an emulated card beyond doubt and
 * the second is not, else NIC_MATCH_DOUBT.
 */
static inline enum nic_match nic_match_rival(const struct nic_vif *vif,
					     const struct nic_candidate *nic)
{
	return vif->sure && !nic_emulated_id(nic) ? NIC_MATCH_NO
						  : NIC_MATCH_DOUBT;
}

static inline bool nic_link_ok(u8 link)
{
	return link != NIC_LINK_FAILED && link != NIC_LINK_REMOVED;
}

static inline bool nic_link_losable(u8 link)
{
	return link == NIC_LINK_CONNECTED || link == NIC_LINK_LEAVING;
}

static inline bool nic_link_waits(u8 link)
{
	return link == NIC_LINK_CONNECTING || link == NIC_LINK_LOST;
}

/* What the unplug port says of itself. */
enum nic_port {
	NIC_PORT_OK,
	NIC_PORT_ABSENT,	/* no magic number: no such protocol */
	NIC_PORT_REFUSED,	/* magic 0xd249: the host refuses this driver */
	NIC_PORT_VERSION	/* a version this module does not know */
};

/* Why the unplug is not committed, in the order of the questions. */
enum nic_guard {
	NIC_GUARD_NONE,		/* commit */
	NIC_GUARD_NOT_HVM,
	NIC_GUARD_KDUMP,
	NIC_GUARD_NOTHING,
	NIC_GUARD_PORT_ABSENT,
	NIC_GUARD_PORT_REFUSED,
	NIC_GUARD_PORT_VERSION,
	NIC_GUARD_FOREIGN_VIF,
	NIC_GUARD_NOT_CONNECTED,
	NIC_GUARD_BUSY,
	NIC_GUARD_AMBIGUOUS,
	NIC_GUARD_RETURNED,
	NIC_GUARD_FOREIGN_NIC,
	NIC_GUARD_UNMATCHED,
	NIC_GUARDS
};

static inline const char *nic_guard_text(unsigned int guard)
{
	static const char *const texts[NIC_GUARDS] = {
		[NIC_GUARD_NONE] = "nothing stands in the way",
		[NIC_GUARD_NOT_HVM] = "not a fully virtualised guest",
		[NIC_GUARD_KDUMP] = "this is a crash kernel",
		[NIC_GUARD_NOTHING] = "no emulated NIC is left to unplug",
		[NIC_GUARD_PORT_ABSENT] = "the host has no unplug protocol",
		[NIC_GUARD_PORT_REFUSED] = "the host refuses this driver",
		[NIC_GUARD_PORT_VERSION] = "the host's unplug protocol has an unknown version",
		[NIC_GUARD_FOREIGN_VIF] = "a vif that may have a twin is not driven by this module",
		[NIC_GUARD_NOT_CONNECTED] = "a vif that may have a twin is not connected",
		[NIC_GUARD_BUSY] = "a twin is up",
		[NIC_GUARD_AMBIGUOUS] = "a twin may be a passed-through NIC",
		[NIC_GUARD_RETURNED] = "a twin was given back",
		[NIC_GUARD_FOREIGN_NIC] = "another NIC with a driver would be hit",
		[NIC_GUARD_UNMATCHED] = "more NICs without a driver than vifs that may own them",
	};

	return guard < NIC_GUARDS ? texts[guard] : "?";
}

/**
 * struct nic_commit - everything the commit of `unplug` depends on
 * @hvm: a fully virtualised guest
 * @kdump: a crash kernel
 * @force: unplug_force
 * @again: a device model whose NICs we had unplugged was replaced by another
 * @port: enum nic_port
 * @foreign_vifs: vifs that may have a twin and are not ours
 * @unconnected: ours that may have a twin and are not Connected
 * @busy: twins in that state
 * @ambiguous: twins in that state
 * @returned: twins in that state
 * @withheld: functions on the bus that are hidden or orphaned twins
 * @foreign_nics: Ethernet functions on any bus, with a driver, not a twin
 * @unmatched: Ethernet functions on bus 0, without a driver, not a twin
 * @twinless: vifs of ours, Connected, that may have a twin but none is known
 */
struct nic_commit {
	bool hvm;
	bool kdump;
	bool force;
	bool again;
	u8 port;
	unsigned int foreign_vifs;
	unsigned int unconnected;
	unsigned int busy;
	unsigned int ambiguous;
	unsigned int returned;
	unsigned int withheld;
	unsigned int foreign_nics;
	unsigned int unmatched;
	unsigned int twinless;
};

/**
 * nic_commit_guard() - the first guard that forbids the commit
 * @facts: what was found
 *
 * Return: enum nic_guard, NIC_GUARD_NONE where the port may be written.
 */
static inline enum nic_guard nic_commit_guard(const struct nic_commit *facts)
{
	if (!facts->hvm)
		return NIC_GUARD_NOT_HVM;
	if (facts->kdump)
		return NIC_GUARD_KDUMP;
	if (!facts->again && !facts->withheld && !facts->busy &&
	    !facts->ambiguous && !facts->returned && !facts->unmatched)
		return NIC_GUARD_NOTHING;
	if (facts->port == NIC_PORT_ABSENT)
		return NIC_GUARD_PORT_ABSENT;
	if (facts->port == NIC_PORT_REFUSED)
		return NIC_GUARD_PORT_REFUSED;
	if (facts->port != NIC_PORT_OK)
		return NIC_GUARD_PORT_VERSION;
	if (facts->foreign_vifs)
		return NIC_GUARD_FOREIGN_VIF;
	if (facts->unconnected)
		return NIC_GUARD_NOT_CONNECTED;
	if (facts->busy && !facts->force)
		return NIC_GUARD_BUSY;
	if (facts->ambiguous)
		return NIC_GUARD_AMBIGUOUS;
	if (facts->returned)
		return NIC_GUARD_RETURNED;
	if (facts->foreign_nics && !facts->force)
		return NIC_GUARD_FOREIGN_NIC;
	if (facts->unmatched > facts->twinless)
		return NIC_GUARD_UNMATCHED;
	return NIC_GUARD_NONE;
}

/* After which no event but a fresh device model changes the answer. */
static inline bool nic_guard_is_final(enum nic_guard guard)
{
	return guard == NIC_GUARD_NOT_HVM || guard == NIC_GUARD_KDUMP ||
	       guard == NIC_GUARD_PORT_ABSENT ||
	       guard == NIC_GUARD_PORT_REFUSED ||
	       guard == NIC_GUARD_PORT_VERSION;
}

/* What stands in the way for a moment whenever a vif comes, and is no news. */
static inline bool nic_guard_is_passing(enum nic_guard guard)
{
	return guard == NIC_GUARD_FOREIGN_VIF ||
	       guard == NIC_GUARD_NOT_CONNECTED;
}

#endif /* NIC_POLICY_H */
