// SPDX-License-Identifier: GPL-2.0
/*
 * Numbered datagrams of one flow, in bursts, and whether they arrive in their order; some
 * may be lost.
 *
 *   udporder send HOST PORT COUNT      number COUNT, the last one, is sent until it is
 *                                      answered
 *   udporder receive PORT plain|gro|turns
 *       Until the last one is here, or 10 s of silence. gro: the socket takes what GRO
 *       merged; turns: it does so every other FEW datagrams. Prints
 *       "COUNT received, COUNT merged, COUNT out of order"; status 1 without the last.
 */
#include <arpa/inet.h>
#include <netinet/udp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT	103
#endif
#ifndef UDP_GRO
#define UDP_GRO		104
#endif
#define PAYLOAD		1000
#define BURST		32
#define FEW		1000
#define LAST		UINT32_MAX

static void die(const char *what)
{
	perror(what);
	exit(2);
}

static int open_socket(int seconds)
{
	struct timeval tv = { .tv_sec = seconds };
	int fd = socket(AF_INET, SOCK_DGRAM, 0), size = 8 << 20;

	if (fd < 0)
		die("socket");
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	return fd;
}

static struct sockaddr_in address(const char *host, const char *port)
{
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_port = htons(atoi(port)) };

	if (inet_pton(AF_INET, host, &addr.sin_addr) != 1)
		die(host);
	return addr;
}

/* A burst goes to the kernel in one piece, which cuts it for a vif. */
static int send_all(const char *host, const char *port, uint32_t count)
{
	struct sockaddr_in addr = address(host, port);
	int fd = open_socket(1), segment = PAYLOAD, tries;
	static char burst[BURST * PAYLOAD];
	uint32_t number = 0, last = LAST;

	if (connect(fd, (void *)&addr, sizeof(addr)) ||
	    setsockopt(fd, SOL_UDP, UDP_SEGMENT, &segment, sizeof(segment)))
		die("connect");
	while (number < count) {
		unsigned int i;

		for (i = 0; i < BURST; i++, number++)
			memcpy(burst + i * PAYLOAD, &number, sizeof(number));
		if (send(fd, burst, sizeof(burst), 0) < 0)
			die("send");
		usleep(2000);
	}
	for (tries = 0; tries < 10; tries++) {
		if (send(fd, &last, sizeof(last), 0) > 0 &&
		    recv(fd, &last, sizeof(last), 0) == sizeof(last))
			return 0;
	}
	fputs("udporder: the last datagram is not answered\n", stderr);
	return 1;
}

/* Bytes received; *@segment: of how many each datagram in it is. */
static ssize_t receive(int fd, char *buf, size_t size, int *segment, struct sockaddr_in *from)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec iov = { buf, size };
	struct msghdr msg = {
		.msg_name = from, .msg_namelen = sizeof(*from),
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control),
	};
	ssize_t len = recvmsg(fd, &msg, 0);
	struct cmsghdr *cmsg;

	*segment = len > 0 ? len : 0;
	for (cmsg = CMSG_FIRSTHDR(&msg); len > 0 && cmsg; cmsg = CMSG_NXTHDR(&msg, cmsg))
		if (cmsg->cmsg_level == SOL_UDP && cmsg->cmsg_type == UDP_GRO)
			memcpy(segment, CMSG_DATA(cmsg), sizeof(*segment));
	return len;
}

static int receive_all(const char *port, const char *how)
{
	unsigned long received = 0, merged = 0, out_of_order = 0, before = 0;
	int fd = open_socket(10), gro = !strcmp(how, "gro"), segment;
	struct sockaddr_in addr = address("0.0.0.0", port);
	uint32_t number, next = 0;
	static char buf[65536];
	ssize_t len, at;

	if (bind(fd, (void *)&addr, sizeof(addr)))
		die("bind");
	for (;;) {
		if (setsockopt(fd, SOL_UDP, UDP_GRO, &gro, sizeof(gro)))
			die("UDP_GRO");
		len = receive(fd, buf, sizeof(buf), &segment, &addr);
		if (len <= 0)
			break;
		for (at = 0; at < len; at += segment) {
			memcpy(&number, buf + at, sizeof(number));
			if (number == LAST)
				goto done;
			received++;
			out_of_order += number < next;
			next = number + 1;
		}
		merged += len > segment;
		if (!strcmp(how, "turns") && received - before >= FEW) {
			before = received;
			gro = !gro;
		}
	}
done:
	if (len > 0)
		sendto(fd, &number, sizeof(number), 0, (void *)&addr, sizeof(addr));
	printf("%lu received, %lu merged, %lu out of order\n", received, merged, out_of_order);
	return len <= 0;
}

int main(int argc, char **argv)
{
	if (argc == 5 && !strcmp(argv[1], "send"))
		return send_all(argv[2], argv[3], atoi(argv[4]));
	if (argc == 4 && !strcmp(argv[1], "receive"))
		return receive_all(argv[2], argv[3]);
	fputs("udporder: send HOST PORT COUNT, or receive PORT plain|gro|turns\n", stderr);
	return 2;
}
