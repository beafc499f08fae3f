// SPDX-License-Identifier: GPL-2.0
/*
 * The XDP programs of selftests/xen/xdp.sh. What they act on are netcheck's raw
 * frames; all else passes, so that a guest stays reachable. Programs whose name
 * ends in _frags know fragments.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define RAW_TYPE	0x88b5	/* netcheck's frames */
#define VLAN_TAG	0x81000007	/* 802.1Q, id 7 */
#define ROOM_HEAD	192
#define ROOM_TAIL	16

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} hits SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, __u32);
} ports SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_CPUMAP);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, struct bpf_cpumap_val);
} cpus SEC(".maps");

struct vlan_eth {
	struct ethhdr eth;
	__be16 tci;
	__be16 type;
};

static __always_inline void hit(void)
{
	__u64 *count;
	__u32 key = 0;

	count = bpf_map_lookup_elem(&hits, &key);
	if (count)
		__sync_fetch_and_add(count, 1);
}

static __always_inline struct ethhdr *raw_frame(struct xdp_md *ctx)
{
	struct ethhdr *eth = (void *)(long)ctx->data;

	if ((void *)(eth + 1) > (void *)(long)ctx->data_end ||
	    eth->h_proto != bpf_htons(RAW_TYPE))
		return 0;
	hit();
	return eth;
}

static __always_inline int reflect(struct ethhdr *eth)
{
	unsigned char mac[ETH_ALEN];

	__builtin_memcpy(mac, eth->h_dest, ETH_ALEN);
	__builtin_memcpy(eth->h_dest, eth->h_source, ETH_ALEN);
	__builtin_memcpy(eth->h_source, mac, ETH_ALEN);
	return XDP_TX;
}

SEC("xdp")
int pass(struct xdp_md *ctx)
{
	raw_frame(ctx);
	return XDP_PASS;
}

SEC("xdp.frags")
int pass_frags(struct xdp_md *ctx)
{
	raw_frame(ctx);
	return XDP_PASS;
}

SEC("xdp")
int drop(struct xdp_md *ctx)
{
	return raw_frame(ctx) ? XDP_DROP : XDP_PASS;
}

SEC("xdp")
int swap(struct xdp_md *ctx)
{
	struct ethhdr *eth = raw_frame(ctx);

	return eth ? reflect(eth) : XDP_PASS;
}

SEC("xdp.frags")
int swap_frags(struct xdp_md *ctx)
{
	struct ethhdr *eth = raw_frame(ctx);

	return eth ? reflect(eth) : XDP_PASS;
}

/* Takes room at both ends, gives back what is before the frame, reflects. */
static __always_inline int with_room(struct xdp_md *ctx)
{
	struct ethhdr *eth = (void *)(long)ctx->data;

	if (!raw_frame(ctx))
		return XDP_PASS;
	if (bpf_xdp_adjust_head(ctx, -ROOM_HEAD) ||
	    bpf_xdp_adjust_head(ctx, ROOM_HEAD) ||
	    bpf_xdp_adjust_tail(ctx, ROOM_TAIL))
		return XDP_DROP;
	eth = (void *)(long)ctx->data;
	if ((void *)(eth + 1) > (void *)(long)ctx->data_end)
		return XDP_DROP;
	return reflect(eth);
}

SEC("xdp")
int room(struct xdp_md *ctx)
{
	return with_room(ctx);
}

SEC("xdp.frags")
int room_frags(struct xdp_md *ctx)
{
	return with_room(ctx);
}

/* Takes a VLAN tag off and sends the frame to port 0. */
SEC("xdp")
int decap(struct xdp_md *ctx)
{
	struct vlan_eth *tagged = (void *)(long)ctx->data;
	unsigned char macs[2 * ETH_ALEN];

	if ((void *)(tagged + 1) > (void *)(long)ctx->data_end ||
	    tagged->eth.h_proto != bpf_htons(ETH_P_8021Q) ||
	    tagged->type != bpf_htons(RAW_TYPE))
		return XDP_PASS;
	hit();
	__builtin_memcpy(macs, tagged, sizeof(macs));
	if (bpf_xdp_adjust_head(ctx, 4))
		return XDP_DROP;
	if ((void *)(long)ctx->data + ETH_HLEN > (void *)(long)ctx->data_end)
		return XDP_DROP;
	__builtin_memcpy((void *)(long)ctx->data, macs, sizeof(macs));
	return bpf_redirect_map(&ports, 0, 0);
}

/* The other way: puts a VLAN tag on and sends the frame to port 1. */
SEC("xdp")
int encap(struct xdp_md *ctx)
{
	unsigned char macs[2 * ETH_ALEN];
	struct ethhdr *eth = raw_frame(ctx);
	struct vlan_eth *tagged;

	if (!eth)
		return XDP_PASS;
	__builtin_memcpy(macs, eth, sizeof(macs));
	if (bpf_xdp_adjust_head(ctx, -4))
		return XDP_DROP;
	tagged = (void *)(long)ctx->data;
	if ((void *)(tagged + 1) > (void *)(long)ctx->data_end)
		return XDP_DROP;
	__builtin_memcpy(tagged, macs, sizeof(macs));
	tagged->eth.h_proto = bpf_htons(VLAN_TAG >> 16);
	tagged->tci = bpf_htons(VLAN_TAG & 0xffff);
	return bpf_redirect_map(&ports, 1, 0);
}

SEC("xdp")
int to_port0(struct xdp_md *ctx)
{
	return raw_frame(ctx) ? bpf_redirect_map(&ports, 0, 0) : XDP_PASS;
}

SEC("xdp")
int to_port1(struct xdp_md *ctx)
{
	return raw_frame(ctx) ? bpf_redirect_map(&ports, 1, 0) : XDP_PASS;
}

/* Everything goes to the stack by way of a CPU's own queue. */
SEC("xdp.frags")
int to_cpu(struct xdp_md *ctx)
{
	hit();
	return bpf_redirect_map(&cpus, 0, XDP_PASS);
}

SEC("xdp")
int invalid(struct xdp_md *ctx)
{
	return raw_frame(ctx) ? 99 : XDP_PASS;
}

char _license[] SEC("license") = "GPL";
