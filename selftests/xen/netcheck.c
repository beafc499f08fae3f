// SPDX-License-Identifier: GPL-2.0
/*
 * Moves bytes whose every value is known beforehand, so that the receiver can
 * say which one arrived wrong. Runs at both ends; owns no policy of what is
 * enough traffic. See usage().
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define CHUNK		65536
#define HEADER		64
#define RAW_TYPE	0x88b5	/* IEEE: local experimental */
#define TRIES		8

static void usage(void)
{
	fputs("netcheck serve PORT SECONDS                      TCP and UDP, v4 and v6\n"
	      "netcheck send|fetch HOST PORT BYTES SEED [MS]    MS: pause per 64 KiB\n"
	      "netcheck sweep HOST PORT FROM TO STEP            UDP echo of each payload size\n"
	      "netcheck rawecho IFACE\n"
	      "netcheck raw IFACE MAC FROM TO STEP              Ethernet echo of each frame size\n",
	      stderr);
	exit(2);
}

static void die(const char *what)
{
	fprintf(stderr, "netcheck: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* The stream of a seed: xorshift64*, whole words. */
static void fill(void *buf, size_t len, uint64_t *state)
{
	uint8_t *p = buf;
	uint64_t v;

	while (len) {
		size_t n = len < sizeof(v) ? len : sizeof(v);

		*state ^= *state >> 12;
		*state ^= *state << 25;
		*state ^= *state >> 27;
		v = *state * 0x2545f4914f6cdd1dULL;
		memcpy(p, &v, n);
		p += n;
		len -= n;
	}
}

static uint64_t seed_state(uint64_t seed)
{
	return seed * 0x9e3779b97f4a7c15ULL + 1;
}

static int write_all(int fd, const void *buf, size_t len)
{
	const char *p = buf;

	while (len) {
		ssize_t n = send(fd, p, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		p += n;
		len -= n;
	}
	return 0;
}

static ssize_t read_all(int fd, void *buf, size_t len)
{
	size_t got = 0;

	while (got < len) {
		ssize_t n = recv(fd, (char *)buf + got, len - got, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (!n)
			break;
		got += n;
	}
	return got;
}

static int send_stream(int fd, uint64_t bytes, uint64_t seed, long pause_ms)
{
	static uint8_t buf[CHUNK];
	uint64_t state = seed_state(seed);

	while (bytes) {
		size_t n = bytes < CHUNK ? bytes : CHUNK;

		fill(buf, n, &state);
		if (write_all(fd, buf, n))
			return -1;
		bytes -= n;
		if (pause_ms)
			usleep(pause_ms * 1000);
	}
	return 0;
}

/* Writes the verdict into @verdict; 0 when every byte was right, -2 when none came. */
static int check_stream(int fd, uint64_t bytes, uint64_t seed, char *verdict, size_t size)
{
	static uint8_t want[CHUNK], got[CHUNK];
	uint64_t state = seed_state(seed), done = 0;

	while (done < bytes) {
		size_t n = bytes - done < CHUNK ? bytes - done : CHUNK, i;
		ssize_t r = read_all(fd, got, n);

		if (r != (ssize_t)n) {
			snprintf(verdict, size, "short: %llu of %llu bytes",
				 (unsigned long long)(done + (r > 0 ? r : 0)),
				 (unsigned long long)bytes);
			return r < 0 ? -2 : -1;
		}
		fill(want, n, &state);
		for (i = 0; i < n && want[i] == got[i]; i++)
			;
		if (i < n) {
			snprintf(verdict, size, "byte %llu is %02x, not %02x",
				 (unsigned long long)(done + i), got[i], want[i]);
			return -1;
		}
		done += n;
	}
	snprintf(verdict, size, "ok");
	return 0;
}

/*
 * Whether a socket that is closed, or whose program ends, forgets its stream at once.
 * Otherwise it goes on as an orphan, and what came out of order holds pages of the
 * vif's pool, for minutes where the other end is not heard of.
 */
static void forget_on_close(int fd, bool yes)
{
	struct linger linger = { .l_onoff = yes };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
}

static void serve_stream(int fd)
{
	unsigned long long bytes, seed;
	char header[HEADER + 1] = "", verdict[HEADER] = "";
	long pause_ms;
	char verb;

	if (read_all(fd, header, HEADER) != HEADER ||
	    sscanf(header, "%c %llu %llu %ld", &verb, &bytes, &seed, &pause_ms) != 4)
		return;
	if (verb == 'g') {
		if (send_stream(fd, bytes, seed, pause_ms) || shutdown(fd, SHUT_WR))
			return;
	} else {
		if (check_stream(fd, bytes, seed, verdict, sizeof(verdict)) == -2 ||
		    write_all(fd, verdict, sizeof(verdict)))
			return;
	}
	/* The client closes first. */
	if (!read_all(fd, verdict, sizeof(verdict)))
		forget_on_close(fd, false);
}

static int listen_on(int type, const char *port)
{
	struct sockaddr_in6 addr = { .sin6_family = AF_INET6, .sin6_port = htons(atoi(port)) };
	int fd = socket(AF_INET6, type, 0), on = 1, off = 0;

	if (fd < 0)
		die("socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (bind(fd, (void *)&addr, sizeof(addr)))
		die("bind");
	if (type == SOCK_STREAM && listen(fd, 64))
		die("listen");
	return fd;
}

/* How long a read waits. */
static void receive_timeout(int fd, int ms)
{
	struct timeval tv = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
}

static void serve_udp(const char *port)
{
	static char buf[CHUNK];
	int fd = listen_on(SOCK_DGRAM, port);

	for (;;) {
		struct sockaddr_storage from;
		socklen_t len = sizeof(from);
		ssize_t n = recvfrom(fd, buf, sizeof(buf), 0, (void *)&from, &len);

		if (n >= 0)
			sendto(fd, buf, n, 0, (void *)&from, len);
	}
}

/*
 * A client that was ended while the vif is away is not heard of again: @patience, in
 * seconds, says how long to wait for the next byte.
 */
static void serve(const char *port, int patience)
{
	int fd = listen_on(SOCK_STREAM, port);

	signal(SIGCHLD, SIG_IGN);
	if (!fork()) {
		close(fd);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		serve_udp(port);
	}
	for (;;) {
		int peer = accept(fd, NULL, NULL);

		if (peer < 0)
			continue;
		if (!fork()) {
			receive_timeout(peer, patience * 1000);
			forget_on_close(peer, true);
			serve_stream(peer);
			_exit(0);
		}
		close(peer);
	}
}

static int connect_to(const char *host, const char *port, int type)
{
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(atoi(port)) };
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(atoi(port)) };
	int is_v4 = inet_pton(AF_INET, host, &v4.sin_addr) == 1, fd;

	if (!is_v4 && inet_pton(AF_INET6, host, &v6.sin6_addr) != 1)
		usage();
	fd = socket(is_v4 ? AF_INET : AF_INET6, type, 0);
	if (fd < 0 || (is_v4 ? connect(fd, (void *)&v4, sizeof(v4))
			     : connect(fd, (void *)&v6, sizeof(v6))))
		die("connect");
	forget_on_close(fd, true);
	return fd;
}

static int transfer(char verb, char **argv, int argc)
{
	uint64_t bytes = strtoull(argv[4], NULL, 0), seed = strtoull(argv[5], NULL, 0);
	long pause_ms = argc > 6 ? atol(argv[6]) : 0;
	char header[HEADER] = "", verdict[HEADER] = "no answer";
	int fd = connect_to(argv[2], argv[3], SOCK_STREAM);

	snprintf(header, sizeof(header), "%c %llu %llu %ld", verb, (unsigned long long)bytes,
		 (unsigned long long)seed, pause_ms);
	if (write_all(fd, header, sizeof(header)))
		die("send");
	if (verb == 'g')
		check_stream(fd, bytes, seed, verdict, sizeof(verdict));
	else if (send_stream(fd, bytes, seed, pause_ms))
		die("send");
	else
		read_all(fd, verdict, sizeof(verdict));
	if (!strcmp(verdict, "ok")) {
		forget_on_close(fd, false);
		close(fd);
		return 0;
	}
	fprintf(stderr, "netcheck: %s %s: %s\n", argv[1], argv[2], verdict);
	return 1;
}

/*
 * Sends @out until the very same bytes come back; others are counted as
 * wrong when they have the size asked for. Returns tries, or -1.
 */
static int echo(int fd, const uint8_t *out, size_t len, size_t skip, size_t min)
{
	static uint8_t in[CHUNK];
	int tries;

	for (tries = 1; tries <= TRIES; tries++) {
		ssize_t n;

		if (send(fd, out, len, 0) != (ssize_t)len && errno != EAGAIN &&
		    errno != ENOBUFS)
			die("send");
		while ((n = recv(fd, in, sizeof(in), 0)) >= 0) {
			if (n < (ssize_t)len && n < (ssize_t)min)
				continue;
			if (n >= (ssize_t)len &&
			    !memcmp(in + skip, out + skip, len - skip))
				return tries;
			/* A late answer to the size before: not this one's. */
		}
	}
	return -1;
}

static int sweep(char **argv)
{
	int from = atoi(argv[4]), to = atoi(argv[5]), step = atoi(argv[6]), size, lost = 0;
	int fd = connect_to(argv[2], argv[3], SOCK_DGRAM);
	static uint8_t out[CHUNK];

	receive_timeout(fd, 700);
	for (size = from; size <= to; size += step) {
		uint64_t state = seed_state(size);
		int tries;

		fill(out, size, &state);
		tries = echo(fd, out, size, 0, 0);
		if (tries < 0) {
			fprintf(stderr, "netcheck: payload of %d bytes never came back whole\n",
				size);
			return 1;
		}
		lost += tries - 1;
	}
	printf("sizes %d to %d came back, %d repeats\n", from, to, lost);
	return lost > 20;
}

static int raw_socket(const char *iface, uint8_t *mac)
{
	struct sockaddr_ll addr = { .sll_family = AF_PACKET, .sll_protocol = htons(RAW_TYPE),
				    .sll_ifindex = if_nametoindex(iface) };
	int fd = socket(AF_PACKET, SOCK_RAW, htons(RAW_TYPE));
	struct ifreq ifr = { 0 };

	strncpy(ifr.ifr_name, iface, IFNAMSIZ - 1);
	if (fd < 0 || bind(fd, (void *)&addr, sizeof(addr)) || ioctl(fd, SIOCGIFHWADDR, &ifr))
		die(iface);
	memcpy(mac, ifr.ifr_hwaddr.sa_data, ETH_ALEN);
	return fd;
}

static void raw_echo(const char *iface)
{
	static uint8_t buf[CHUNK];
	uint8_t mac[ETH_ALEN];
	int fd = raw_socket(iface, mac);

	for (;;) {
		struct sockaddr_ll from;
		socklen_t len = sizeof(from);
		ssize_t n = recvfrom(fd, buf, sizeof(buf), 0, (void *)&from, &len);

		if (n < ETH_HLEN || from.sll_pkttype == PACKET_OUTGOING)
			continue;
		memcpy(buf, buf + ETH_ALEN, ETH_ALEN);
		memcpy(buf + ETH_ALEN, mac, ETH_ALEN);
		if (send(fd, buf, n, 0) < 0)
			perror("send");
	}
}

static int raw_sweep(char **argv)
{
	int from = atoi(argv[4]), to = atoi(argv[5]), step = atoi(argv[6]), size;
	uint16_t type = htons(RAW_TYPE);
	static uint8_t out[CHUNK];
	uint8_t mac[ETH_ALEN];
	int fd = raw_socket(argv[2], mac);

	receive_timeout(fd, 700);
	if (sscanf(argv[3], "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &out[0], &out[1], &out[2], &out[3],
		   &out[4], &out[5]) != 6)
		usage();
	memcpy(out + ETH_ALEN, mac, ETH_ALEN);
	memcpy(out + 2 * ETH_ALEN, &type, sizeof(type));
	for (size = from; size <= to; size += step) {
		uint64_t state = seed_state(size);

		fill(out + ETH_HLEN, size - ETH_HLEN, &state);
		if (echo(fd, out, size, ETH_HLEN, ETH_HLEN) < 0) {
			fprintf(stderr, "netcheck: no frame of %d bytes came back whole\n", size);
			return 1;
		}
	}
	printf("frames of %d to %d bytes came back\n", from, to);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 4 && !strcmp(argv[1], "serve"))
		serve(argv[2], atoi(argv[3]));
	if (argc >= 6 && !strcmp(argv[1], "send"))
		return transfer('s', argv, argc);
	if (argc >= 6 && !strcmp(argv[1], "fetch"))
		return transfer('g', argv, argc);
	if (argc == 7 && !strcmp(argv[1], "sweep"))
		return sweep(argv);
	if (argc == 3 && !strcmp(argv[1], "rawecho"))
		raw_echo(argv[2]);
	if (argc == 7 && !strcmp(argv[1], "raw"))
		return raw_sweep(argv);
	usage();
	return 2;
}
