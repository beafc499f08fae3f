/* SPDX-License-Identifier: GPL-2.0 */
/* What rx_flow.h takes from the kernel, for user space. */
#ifndef FLOW_USER_H
#define FLOW_USER_H

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <stdbool.h>
#include <string.h>

typedef uint32_t u32;
typedef uint64_t u64;

#define IP_DF	0x4000

#endif /* FLOW_USER_H */
