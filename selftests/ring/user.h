/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What ring.h takes from the kernel beside the netif headers, for user space.
 * kernel/ring_user.h and xen/ring_user.h add one set of headers each.
 */
#ifndef RING_TEST_USER_H
#define RING_TEST_USER_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;

#define ETH_HLEN		14
#define XEN_PAGE_SIZE		4096UL

#define ____cacheline_aligned	__attribute__((aligned(64)))
#define static_assert(expr)	_Static_assert(expr, #expr)

#define smp_load_acquire(p)	__atomic_load_n(p, __ATOMIC_ACQUIRE)
#define smp_store_release(p, v)	__atomic_store_n(p, v, __ATOMIC_RELEASE)

#endif /* RING_TEST_USER_H */
