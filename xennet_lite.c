// SPDX-License-Identifier: GPL-2.0
/*
 * The front door: the module's parameters, its xenbus driver and what loading
 * and unloading come to. Knows neither rings nor PCI. Parameters may be
 * written by root at any time; init and exit run in process context.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>
#include <xen/platform_pci.h>
#include <xen/xen.h>
#include <xen/xenbus.h>

#include "twin.h"
#include "xennet_lite.h"

static int unplug_set(const char *text, const struct kernel_param *kp)
{
	int policy = nic_policy_parse(text);

	if (policy >= 0)
		return xnl_twin_set_policy(policy);
	pr_err("unplug=\"%.*s\" is no policy; expected one of: " NIC_POLICY_LIST "\n",
	       min_t(int, strcspn(text, "\n"), 32), text);
	return -EINVAL;
}

static int unplug_get(char *buffer, const struct kernel_param *kp)
{
	return sysfs_emit(buffer, "%s\n", nic_policy_name(xnl_twin_policy()));
}

static const struct kernel_param_ops unplug_ops = {
	.set = unplug_set,
	.get = unplug_get,
};

module_param_cb(unplug, &unplug_ops, NULL, 0644);
__MODULE_PARM_TYPE(unplug, "charp");
MODULE_PARM_DESC(unplug,
		 "What becomes of a vif's emulated twin: " NIC_POLICY_LIST " (auto)");

unsigned int xnl_unplug_timeout = 30;
module_param_named(unplug_timeout, xnl_unplug_timeout, uint, 0644);
MODULE_PARM_DESC(unplug_timeout,
		 "Seconds a vif may take to connect before its twin is given back; 0: never (30)");

static int unplug_force_set(const char *text, const struct kernel_param *kp)
{
	int err = param_set_bool(text, kp);

	if (!err)
		xnl_twin_reconsider();
	return err;
}

static const struct kernel_param_ops unplug_force_ops = {
	.flags = KERNEL_PARAM_OPS_FL_NOARG,
	.set = unplug_force_set,
	.get = param_get_bool,
};

bool xnl_unplug_force;
module_param_cb(unplug_force, &unplug_force_ops, &xnl_unplug_force, 0644);
__MODULE_PARM_TYPE(unplug_force, "bool");
MODULE_PARM_DESC(unplug_force,
		 "Hide twins that are up, and unplug though other NICs would be hit (0)");

bool xnl_trusted = true;
module_param_named(trusted, xnl_trusted, bool, 0444);
MODULE_PARM_DESC(trusted,
		 "Backends may see what lies beside a packet in its page (1)");

unsigned int xnl_max_queues;
module_param_named(max_queues, xnl_max_queues, uint, 0444);
MODULE_PARM_DESC(max_queues,
		 "Queues per vif at most; 0: one per online CPU, at most 8 (0)");

static const struct xenbus_device_id xnl_ids[] = {
	{ "vif" },
	{ "" }
};

/* Its own name, for the in-tree driver is called as its device type is. */
static struct xenbus_driver xnl_driver = {
	.name = KBUILD_MODNAME,
	.ids = xnl_ids,
	.probe = xnl_probe,
	.remove = xnl_remove,
	.resume = xnl_resume,
	.otherend_changed = xnl_backend_changed,
	.not_essential = true,
};

static int __init xnl_init(void)
{
	int err;

	if (nic_load(xnl_twin_policy(), xen_domain(), xnl_unplug_is_hvm(),
		     xen_has_pv_nic_devices()) == NIC_LOAD_DECLINE) {
		if (xen_domain())
			pr_info("this kernel was told to use no paravirtual NICs; load with unplug=hide or unplug=keep to use them all the same\n");
		return -ENODEV;
	}

	err = xnl_twin_init();
	if (err)
		return err;
	/*
	 * No owner: xenbus holds a reference to the owner for each vif bound,
	 * which would keep rmmod from ever getting to unbind them. Unloading
	 * unregisters the driver first, and that waits for every callback.
	 */
	err = __xenbus_register_frontend(&xnl_driver, NULL, KBUILD_MODNAME);
	if (err)
		xnl_twin_exit();
	return err;
}
module_init(xnl_init);

static void __exit xnl_exit(void)
{
	xenbus_unregister_driver(&xnl_driver);
	xnl_twin_exit();
}
module_exit(xnl_exit);

MODULE_DESCRIPTION("Xen paravirtual network frontend that minds the emulated NIC");
MODULE_AUTHOR("The xennet_lite authors");
MODULE_LICENSE("GPL");
MODULE_ALIAS("xen:vif");
