/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Linux 6.6 (a9ca9f9ceff3, "page_pool: split types and declarations from
 * page_pool.h") made one header two. Linux 6.7 (09d96ee5674a, "page_pool: remove
 * PP_FLAG_PAGE_FRAG") takes parts of any pool's pages. Can go with support for 6.1.
 */
#include <linux/version.h>
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
#include <net/page_pool.h>
#else
#include_next <net/page_pool/helpers.h>
#endif
#ifndef PP_FLAG_PAGE_FRAG
#define PP_FLAG_PAGE_FRAG 0
#endif
