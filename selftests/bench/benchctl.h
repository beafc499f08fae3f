/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the two ends of a measurement share: the control connection's lines and
 * sockets. A line is at most LINE_MAX_LEN bytes and ends in a newline.
 */
#ifndef BENCHCTL_H
#define BENCHCTL_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONTROL_PORT	7700
#define UDP_PORT	7701
#define TCP_PORT	7702
#define LINE_MAX_LEN	256
/* First byte of a datagram's payload: load, or the end of it. */
#define LOAD		'L'
#define END		'E'
#define FRAME_HEADERS	42	/* Ethernet, IPv4, UDP */

static inline void die(const char *what)
{
	perror(what);
	exit(1);
}

struct address {
	struct sockaddr_storage any;
	socklen_t len;
};

/* An IPv4 address, or, with a colon in it, one of IPv6. */
static inline struct address address(const char *ip, int port)
{
	struct address addr = {};
	struct sockaddr_in *v4 = (struct sockaddr_in *)&addr.any;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&addr.any;

	if (strchr(ip, ':')) {
		addr.any.ss_family = AF_INET6;
		addr.len = sizeof(*v6);
		v6->sin6_port = htons(port);
		if (inet_pton(AF_INET6, ip, &v6->sin6_addr) != 1)
			die(ip);
		return addr;
	}
	addr.any.ss_family = AF_INET;
	addr.len = sizeof(*v4);
	v4->sin_port = htons(port);
	if (inet_pton(AF_INET, ip, &v4->sin_addr) != 1)
		die(ip);
	return addr;
}

static inline int open_socket(const struct address *addr, int type)
{
	int fd = socket(addr->any.ss_family, type, 0), one = 1;

	if (fd < 0)
		die("socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (type == SOCK_STREAM)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

static inline int connect_to(int type, const char *ip, int port)
{
	struct address addr = address(ip, port);
	int fd = open_socket(&addr, type);

	if (connect(fd, (struct sockaddr *)&addr.any, addr.len))
		die("connect");
	return fd;
}

/* At @ip: 0.0.0.0 for any address of IPv4, :: for any at all. */
static inline int listen_on(int type, const char *ip, int port)
{
	struct address addr = address(ip, port);
	int fd = open_socket(&addr, type);

	if (bind(fd, (struct sockaddr *)&addr.any, addr.len))
		die("bind");
	if (type == SOCK_STREAM && listen(fd, 4))
		die("listen");
	return fd;
}

static inline int accept_from(int listener)
{
	int fd = accept(listener, NULL, NULL), one = 1;

	if (fd < 0)
		die("accept");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

static inline void read_line(int fd, char *line)
{
	size_t len = 0;

	while (len < LINE_MAX_LEN - 1) {
		if (read(fd, line + len, 1) != 1) {
			line[0] = 0;	/* the other end is gone */
			return;
		}
		if (line[len] == '\n')
			break;
		len++;
	}
	line[len] = 0;
}

__attribute__((format(printf, 2, 3)))
static inline void write_line(int fd, const char *format, ...)
{
	char line[LINE_MAX_LEN];
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(line, sizeof(line) - 1, format, args);
	va_end(args);
	line[len++] = '\n';
	if (write(fd, line, len) != len)
		die("control connection");
}

static inline void write_all(int fd, const void *data, size_t len)
{
	ssize_t done = write(fd, data, len);

	if (done != (ssize_t)len)
		die("write");
}

/* Interrupts of all lines of /proc/interrupts whose name begins so; one CPU. */
static inline uint64_t sum_interrupts(const char *prefix)
{
	FILE *file = fopen("/proc/interrupts", "r");
	uint64_t sum = 0;
	char line[512];

	if (!file)
		die("/proc/interrupts");
	while (fgets(line, sizeof(line), file)) {
		char *count = strchr(line, ':');
		char *name = strrchr(line, ' ');

		if (count && name && !strncmp(name + 1, prefix, strlen(prefix)))
			sum += strtoull(count + 1, NULL, 10);
	}
	fclose(file);
	return sum;
}

/* A counter of a net_device, 0 where there is no such device. */
static inline uint64_t netdev_counter(const char *dev, const char *counter)
{
	uint64_t value = 0;
	char path[256];
	FILE *file;

	snprintf(path, sizeof(path), "/sys/class/net/%s/statistics/%s", dev,
		 counter);
	file = fopen(path, "r");
	if (!file)
		return 0;
	if (fscanf(file, "%lu", &value) != 1)
		value = 0;
	fclose(file);
	return value;
}

#endif /* BENCHCTL_H */
