/* SPDX-License-Identifier: GPL-2.0 */
/* ring.h in user space, on the kernel's own netif.h and ring.h. */
#ifndef RING_USER_H
#define RING_USER_H

#include "../user.h"

#define RING_HEADERS "the kernel's headers"

/* All that the netif headers need of grant_table.h, which needs much more. */
#define __XEN_PUBLIC_GRANT_TABLE_H__
typedef u32 grant_ref_t;

#include <xen/interface/io/netif.h>

#endif /* RING_USER_H */
