/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Linux 6.5 (b51f4113ebb0, "net: introduce and use skb_frag_fill_page_desc()")
 * fills a fragment in one call. Can go with support for 6.1.
 */
#ifndef XNL_COMPAT_LINUX_SKBUFF_H
#define XNL_COMPAT_LINUX_SKBUFF_H
#include_next <linux/skbuff.h>
#include <linux/version.h>
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 5, 0)
static inline void skb_frag_fill_page_desc(skb_frag_t *frag, struct page *page,
					   int offset, int size)
{
	__skb_frag_set_page(frag, page);
	skb_frag_off_set(frag, offset);
	skb_frag_size_set(frag, size);
}
#endif
#endif
