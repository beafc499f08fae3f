// SPDX-License-Identifier: GPL-2.0
/*
 * netdevq DEVICE: what the kernel's netlink family "netdev" says of a device, one
 * thing a line: "xdp 103" (the NETDEV_XDP_ACT_ bits), "rx 0 napi 8193", "rx 0 packets 12
 * bytes 3400", and "all rx packets 12 bytes 3400" for all its queues, those in use or
 * not. Status 4 where the kernel has no such family or command. Names and numbers are
 * those of the kernel's include/uapi/linux/netdev.h, which Debian 12's linux-libc-dev
 * does not have yet.
 */
#include <errno.h>
#include <linux/genetlink.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { NETDEV_QUEUE_TYPE_RX, NETDEV_QUEUE_TYPE_TX };
enum { NETDEV_QSTATS_SCOPE_QUEUE = 1 };
enum {
	NETDEV_CMD_DEV_GET = 1,
	NETDEV_CMD_QUEUE_GET = 10,
	NETDEV_CMD_QSTATS_GET = 12,
};

enum { NETDEV_A_DEV_IFINDEX = 1, NETDEV_A_DEV_XDP_FEATURES = 3 };
enum {
	NETDEV_A_QUEUE_ID = 1,
	NETDEV_A_QUEUE_IFINDEX,
	NETDEV_A_QUEUE_TYPE,
	NETDEV_A_QUEUE_NAPI_ID,
};

enum {
	NETDEV_A_QSTATS_IFINDEX = 1,
	NETDEV_A_QSTATS_QUEUE_TYPE,
	NETDEV_A_QSTATS_QUEUE_ID,
	NETDEV_A_QSTATS_SCOPE,
	NETDEV_A_QSTATS_RX_PACKETS = 8,
	NETDEV_A_QSTATS_RX_BYTES,
	NETDEV_A_QSTATS_TX_PACKETS,
	NETDEV_A_QSTATS_TX_BYTES,
	ATTRS,
};

static int sock;

static void die(const char *what, int err)
{
	fprintf(stderr, "netdevq: %s: %s\n", what, strerror(err));
	exit(err == ENOENT || err == EOPNOTSUPP ? 4 : 1);
}

/* A request, to which attributes are added at its end. */
struct request {
	struct nlmsghdr nl;
	struct genlmsghdr genl;
	char attrs[256];
};

static void add(struct request *req, int type, const void *data, int len)
{
	struct nlattr *attr = (void *)req + NLMSG_ALIGN(req->nl.nlmsg_len);

	attr->nla_type = type;
	attr->nla_len = NLA_HDRLEN + len;
	memcpy((char *)attr + NLA_HDRLEN, data, len);
	req->nl.nlmsg_len = NLMSG_ALIGN(req->nl.nlmsg_len) +
			    NLA_ALIGN(attr->nla_len);
}

static struct request request(int family, int command, int flags)
{
	return (struct request){
		.nl = {
			.nlmsg_len = NLMSG_LENGTH(GENL_HDRLEN),
			.nlmsg_type = family,
			.nlmsg_flags = NLM_F_REQUEST | flags,
		},
		.genl = { .cmd = command, .version = 1 },
	};
}

/* The attributes of one message: numbers of 16, 32 or 64 bits, all others 0. */
static void parse(const struct nlmsghdr *nl, uint64_t *value)
{
	int left = nl->nlmsg_len - NLMSG_LENGTH(GENL_HDRLEN), len;
	const char *at = (char *)NLMSG_DATA(nl) + GENL_HDRLEN;

	memset(value, 0, ATTRS * sizeof(*value));
	while (left >= NLA_HDRLEN) {
		const struct nlattr *attr = (void *)at;

		len = attr->nla_len - NLA_HDRLEN;
		if (attr->nla_type < ATTRS && len <= 8)
			memcpy(&value[attr->nla_type], at + NLA_HDRLEN, len);
		at += NLA_ALIGN(attr->nla_len);
		left -= NLA_ALIGN(attr->nla_len);
	}
}

/* Sends @req; calls @seen for each message of the answer. */
static void ask(const char *what, struct request *req,
		void (*seen)(const uint64_t *value))
{
	static char answer[1 << 16] __attribute__((aligned(8)));
	uint64_t value[ATTRS];
	struct nlmsghdr *nl;
	int len;

	if (send(sock, req, req->nl.nlmsg_len, 0) < 0)
		die(what, errno);
	do {
		len = recv(sock, answer, sizeof(answer), 0);
		if (len < 0)
			die(what, errno);
		for (nl = (void *)answer; NLMSG_OK(nl, len); nl = NLMSG_NEXT(nl, len)) {
			if (nl->nlmsg_type == NLMSG_DONE)
				return;
			if (nl->nlmsg_type == NLMSG_ERROR)
				die(what, -((struct nlmsgerr *)NLMSG_DATA(nl))->error);
			parse(nl, value);
			seen(value);
		}
	} while (req->nl.nlmsg_flags & NLM_F_DUMP);
}

static uint16_t family;

static void family_seen(const uint64_t *value)
{
	family = value[CTRL_ATTR_FAMILY_ID];
}

static void device_seen(const uint64_t *value)
{
	printf("xdp %u\n", (unsigned int)value[NETDEV_A_DEV_XDP_FEATURES]);
}

static void queue_seen(const uint64_t *value)
{
	printf("%s %u napi %u\n",
	       value[NETDEV_A_QUEUE_TYPE] == NETDEV_QUEUE_TYPE_RX ? "rx" : "tx",
	       (unsigned int)value[NETDEV_A_QUEUE_ID],
	       (unsigned int)value[NETDEV_A_QUEUE_NAPI_ID]);
}

static void counts(const uint64_t *count)
{
	printf("packets %llu bytes %llu\n", (unsigned long long)count[0],
	       (unsigned long long)count[1]);
}

static void stats_seen(const uint64_t *value)
{
	int tx = value[NETDEV_A_QSTATS_QUEUE_TYPE] == NETDEV_QUEUE_TYPE_TX;

	printf("%s %u ", tx ? "tx" : "rx",
	       (unsigned int)value[NETDEV_A_QSTATS_QUEUE_ID]);
	counts(value + (tx ? NETDEV_A_QSTATS_TX_PACKETS : NETDEV_A_QSTATS_RX_PACKETS));
}

static unsigned int ifindex;

static void sum_seen(const uint64_t *value)
{
	if (value[NETDEV_A_QSTATS_IFINDEX] != ifindex)
		return;
	printf("all rx ");
	counts(value + NETDEV_A_QSTATS_RX_PACKETS);
	printf("all tx ");
	counts(value + NETDEV_A_QSTATS_TX_PACKETS);
}

int main(int argc, char **argv)
{
	unsigned int scope = NETDEV_QSTATS_SCOPE_QUEUE;
	struct request req;

	ifindex = argc == 2 ? if_nametoindex(argv[1]) : 0;
	if (!ifindex) {
		fprintf(stderr, "netdevq: expected the name of a device\n");
		return 2;
	}
	sock = socket(AF_NETLINK, SOCK_RAW, NETLINK_GENERIC);
	if (sock < 0)
		die("netlink", errno);
	req = request(GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 0);
	add(&req, CTRL_ATTR_FAMILY_NAME, "netdev", sizeof("netdev"));
	ask("no family netdev", &req, family_seen);

	req = request(family, NETDEV_CMD_DEV_GET, 0);
	add(&req, NETDEV_A_DEV_IFINDEX, &ifindex, sizeof(ifindex));
	ask("dev-get", &req, device_seen);

	req = request(family, NETDEV_CMD_QUEUE_GET, NLM_F_DUMP);
	add(&req, NETDEV_A_QUEUE_IFINDEX, &ifindex, sizeof(ifindex));
	ask("queue-get", &req, queue_seen);

	req = request(family, NETDEV_CMD_QSTATS_GET, NLM_F_DUMP);
	add(&req, NETDEV_A_QSTATS_IFINDEX, &ifindex, sizeof(ifindex));
	add(&req, NETDEV_A_QSTATS_SCOPE, &scope, sizeof(scope));
	ask("qstats-get of queues", &req, stats_seen);

	req = request(family, NETDEV_CMD_QSTATS_GET, NLM_F_DUMP);
	ask("qstats-get", &req, sum_seen);
	return 0;
}
