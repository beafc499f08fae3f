// SPDX-License-Identifier: GPL-2.0
/*
 * The guest's end of a measurement: does what benchpeer in dom0 asks for over a
 * control connection. Fixed counts, no work besides the system calls, so that
 * what is counted is the kernel's. Loads are prepared before "ready" and begin
 * at "go"; what is read from /proc is read outside of that.
 *
 *   benchload        serves one connection after the other, for ever
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/random.h>
#include <sys/ioctl.h>

#include "benchctl.h"

#define BATCH		64
#define CHUNK		65536

static char buffer[BATCH][2048];
static char chunk[CHUNK];

static int go(int control)
{
	char line[LINE_MAX_LEN];

	write_line(control, "ready");
	read_line(control, line);
	return !strcmp(line, "go");
}

static void send_udp(int control, const char *ip, unsigned int size,
		     unsigned long count)
{
	int fd = connect_to(SOCK_DGRAM, ip, UDP_PORT);
	unsigned long i;

	buffer[0][0] = LOAD;
	if (go(control))
		for (i = 0; i < count; i++)
			if (send(fd, buffer[0], size - FRAME_HEADERS, 0) < 0)
				die("send");
	write_line(control, "done %lu", count);
	close(fd);
}

/* Counts until the datagram that marks the end, which may come several times. */
static void receive_udp(int control, const char *ip)
{
	struct mmsghdr messages[BATCH] = {};
	int fd = listen_on(SOCK_DGRAM, ip, UDP_PORT);
	int room = 64 << 20, got, i, ended = 0;
	struct iovec vectors[BATCH];
	unsigned long count = 0;

	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	for (i = 0; i < BATCH; i++) {
		vectors[i].iov_base = buffer[i];
		vectors[i].iov_len = sizeof(buffer[i]);
		messages[i].msg_hdr.msg_iov = &vectors[i];
		messages[i].msg_hdr.msg_iovlen = 1;
	}
	ended = !go(control);
	while (!ended) {
		got = recvmmsg(fd, messages, BATCH, MSG_WAITFORONE, NULL);
		if (got < 0)
			die("recvmmsg");
		count += got;
		for (i = 0; i < got; i++)
			if (buffer[i][0] == END) {
				ended = 1;
				count -= got - i;
				break;
			}
	}
	write_line(control, "done %lu", count);
	close(fd);
}

static void send_tcp(int control, const char *ip, unsigned long bytes)
{
	int fd = connect_to(SOCK_STREAM, ip, TCP_PORT);
	unsigned long left;

	if (go(control))
		for (left = bytes; left >= CHUNK; left -= CHUNK)
			write_all(fd, chunk, CHUNK);
	close(fd);
	write_line(control, "done %lu", bytes);
}

static void receive_tcp(int control)
{
	int listener = listen_on(SOCK_STREAM, "0.0.0.0", TCP_PORT), fd;
	unsigned long bytes = 0;
	ssize_t got;

	write_line(control, "listening");
	fd = accept_from(listener);
	if (go(control))
		while ((got = read(fd, chunk, CHUNK)) > 0)
			bytes += got;
	write_line(control, "done %lu", bytes);
	close(fd);
	close(listener);
}

static void answer(int control)
{
	int listener = listen_on(SOCK_STREAM, "0.0.0.0", TCP_PORT), fd;
	unsigned long count = 0;
	char byte;

	write_line(control, "listening");
	fd = accept_from(listener);
	if (go(control))
		for (; read(fd, &byte, 1) == 1; count++)
			write_all(fd, &byte, 1);
	write_line(control, "done %lu", count);
	close(fd);
	close(listener);
}

static void counters(int control, const char *dev)
{
	write_line(control, "%lu %lu %lu %lu", sum_interrupts("vif"),
		   netdev_counter(dev, "rx_packets"),
		   netdev_counter(dev, "tx_packets"),
		   netdev_counter(dev, "tx_dropped"));
}

static void serve(int control)
{
	char line[LINE_MAX_LEN], ip[64];
	unsigned long count;
	unsigned int size;

	for (;;) {
		read_line(control, line);
		if (!line[0])
			return;
		if (sscanf(line, "send-udp %63s %u %lu", ip, &size, &count) == 3)
			send_udp(control, ip, size, count);
		else if (sscanf(line, "receive-udp %63s", ip) == 1)
			receive_udp(control, ip);
		else if (sscanf(line, "send-tcp %63s %lu", ip, &count) == 2)
			send_tcp(control, ip, count);
		else if (!strcmp(line, "receive-tcp"))
			receive_tcp(control);
		else if (!strcmp(line, "answer"))
			answer(control);
		else if (sscanf(line, "counters %63s", ip) == 1)
			counters(control, ip);
		else
			die(line);
	}
}

/*
 * A guest this young has no random numbers of its own yet. Until it has, each
 * new slab, which is shuffled, costs thousands of instructions more: not what is
 * compared, and a constant serves as well.
 */
static void seed_random(void)
{
	struct {
		struct rand_pool_info info;
		char bytes[64];
	} seed = { .info = { .entropy_count = 512, .buf_size = 64 } };
	int fd = open("/dev/urandom", O_WRONLY);

	memset(seed.bytes, 1, sizeof(seed.bytes));
	if (fd < 0 || ioctl(fd, RNDADDENTROPY, &seed))
		die("seeding /dev/urandom");
	close(fd);
}

int main(void)
{
	int listener = listen_on(SOCK_STREAM, "::", CONTROL_PORT);

	seed_random();
	for (;;) {
		int control = accept_from(listener);

		serve(control);
		close(control);
	}
}
