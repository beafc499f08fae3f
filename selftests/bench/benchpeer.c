// SPDX-License-Identifier: GPL-2.0
/*
 * dom0's end of a measurement: makes or takes the load and reads what it cost,
 * as CPU time that the hypervisor accounted to the guest and to dom0. Prints
 * one line of JSON.
 *
 *   benchpeer LOAD DOMID GUEST-IP TARGET-IP DEV VIF SIZE COUNT
 *
 * LOAD: send, receive, elsewhere (sent to TARGET-IP, which is not the guest
 * itself), paced, tcp-send, tcp-receive, transactions; seen from the guest.
 * DEV is the guest's net_device whose counters are read, VIF dom0's.
 */
#define _GNU_SOURCE
#include <time.h>

#include <xenctrl.h>

#include "benchctl.h"

#define BATCH		32
#define PACE_NS		100000
/* So much unsent makes a sender wait for netback rather than fill its queue. */
#define SEND_ROOM	98304

struct load {
	const char *name, *guest_ip, *target_ip, *dev, *vif;
	unsigned int size;
	unsigned long count;
	int domid;
};

struct sample {
	uint64_t wall, dom0, guest;
};

struct counters {
	unsigned long interrupts, rx_packets, tx_packets, tx_dropped;
	uint64_t dom0_interrupts;
};

static char buffer[1 << 18];

static uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000ull + time.tv_nsec;
}

static uint64_t cpu_time(xc_interface *xen, int domid)
{
	xc_dominfo_t info;

	if (xc_domain_getinfo(xen, domid, 1, &info) != 1 ||
	    info.domid != (uint32_t)domid)
		die("domain info");
	return info.cpu_time;
}

static struct sample sample(xc_interface *xen, int domid)
{
	struct sample s;

	s.wall = now();
	s.dom0 = cpu_time(xen, 0);
	s.guest = cpu_time(xen, domid);
	return s;
}

static struct counters read_counters(int control, const struct load *load)
{
	char line[LINE_MAX_LEN];
	struct counters c;

	write_line(control, "counters %s", load->dev);
	read_line(control, line);
	if (sscanf(line, "%lu %lu %lu %lu", &c.interrupts, &c.rx_packets,
		   &c.tx_packets, &c.tx_dropped) != 4)
		die("the guest's counters");
	c.dom0_interrupts = sum_interrupts(load->vif);
	return c;
}

static void expect(int control, const char *word)
{
	char line[LINE_MAX_LEN];

	read_line(control, line);
	if (strcmp(line, word)) {
		fprintf(stderr, "expected '%s', got '%s'\n", word, line);
		exit(1);
	}
}

static int udp_socket(const char *ip)
{
	int fd = connect_to(SOCK_DGRAM, ip, UDP_PORT), room = SEND_ROOM / 2;

	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	return fd;
}

static void send_datagrams(int fd, const struct load *load)
{
	struct iovec vector = { buffer, load->size - FRAME_HEADERS };
	struct mmsghdr messages[BATCH] = {};
	unsigned long left = load->count;
	int i, sent;

	buffer[0] = LOAD;
	for (i = 0; i < BATCH; i++) {
		messages[i].msg_hdr.msg_iov = &vector;
		messages[i].msg_hdr.msg_iovlen = 1;
	}
	while (left) {
		sent = sendmmsg(fd, messages, left < BATCH ? left : BATCH, 0);
		if (sent < 0)
			die("sendmmsg");
		left -= sent;
	}
}

static void send_paced(int fd, const struct load *load)
{
	struct timespec time;
	unsigned long left;

	buffer[0] = LOAD;
	clock_gettime(CLOCK_MONOTONIC, &time);
	for (left = load->count; left; left--) {
		if (send(fd, buffer, load->size - FRAME_HEADERS, 0) < 0)
			die("send");
		time.tv_nsec += PACE_NS;
		if (time.tv_nsec >= 1000000000) {
			time.tv_nsec -= 1000000000;
			time.tv_sec++;
		}
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL);
	}
}

/* Marks the end of the load until the guest says that it saw a mark. */
static unsigned long end_datagrams(int control, int fd)
{
	struct timeval patience = { .tv_usec = 20000 };
	char line[LINE_MAX_LEN];
	unsigned long count = 0;

	setsockopt(control, SOL_SOCKET, SO_RCVTIMEO, &patience,
		   sizeof(patience));
	do {
		buffer[0] = END;
		if (send(fd, buffer, 18, 0) < 0)
			die("send");
		read_line(control, line);
	} while (!line[0]);
	patience.tv_usec = 0;
	setsockopt(control, SOL_SOCKET, SO_RCVTIMEO, &patience,
		   sizeof(patience));
	if (sscanf(line, "done %lu", &count) != 1)
		die(line);
	return count;
}

static unsigned long await_end(int control)
{
	char line[LINE_MAX_LEN];
	unsigned long count;

	read_line(control, line);
	if (sscanf(line, "done %lu", &count) != 1)
		die("the guest's end");
	return count;
}

static void begin(int control, xc_interface *xen, const struct load *load,
		  struct sample *from)
{
	expect(control, "ready");
	*from = sample(xen, load->domid);
	write_line(control, "go");
}

static unsigned long run_send(int control, xc_interface *xen,
			      const struct load *load, struct sample *from)
{
	write_line(control, "send-udp %s %u %lu", load->target_ip, load->size,
		   load->count);
	begin(control, xen, load, from);
	return await_end(control);
}

static unsigned long run_receive(int control, xc_interface *xen,
				 const struct load *load, struct sample *from)
{
	int to_guest = udp_socket(load->guest_ip);
	int fd = to_guest;

	if (!strcmp(load->name, "elsewhere"))
		fd = udp_socket(load->target_ip);
	write_line(control, "receive-udp %s",
		   strchr(load->guest_ip, ':') ? "::" : "0.0.0.0");
	begin(control, xen, load, from);
	if (!strcmp(load->name, "paced"))
		send_paced(fd, load);
	else
		send_datagrams(fd, load);
	return end_datagrams(control, to_guest);
}

static unsigned long run_tcp_send(int control, xc_interface *xen,
				  const struct load *load, struct sample *from)
{
	int listener = listen_on(SOCK_STREAM, "0.0.0.0", TCP_PORT), fd;
	unsigned long bytes = 0;
	ssize_t got;

	write_line(control, "send-tcp %s %lu", load->target_ip, load->count);
	fd = accept_from(listener);
	begin(control, xen, load, from);
	while ((got = recv(fd, NULL, sizeof(buffer), MSG_TRUNC)) > 0)
		bytes += got;
	await_end(control);
	return bytes;
}

static unsigned long run_tcp_receive(int control, xc_interface *xen,
				     const struct load *load,
				     struct sample *from)
{
	unsigned long left;
	int fd;

	write_line(control, "receive-tcp");
	expect(control, "listening");
	fd = connect_to(SOCK_STREAM, load->guest_ip, TCP_PORT);
	begin(control, xen, load, from);
	for (left = load->count; left >= 65536; left -= 65536)
		write_all(fd, buffer, 65536);
	close(fd);
	return await_end(control);
}

static unsigned long run_transactions(int control, xc_interface *xen,
				      const struct load *load,
				      struct sample *from)
{
	unsigned long i;
	int fd;

	write_line(control, "answer");
	expect(control, "listening");
	fd = connect_to(SOCK_STREAM, load->guest_ip, TCP_PORT);
	begin(control, xen, load, from);
	for (i = 0; i < load->count; i++) {
		write_all(fd, buffer, 1);
		if (read(fd, buffer, 1) != 1)
			die("read");
	}
	close(fd);
	return await_end(control);
}

static unsigned long run(int control, xc_interface *xen,
			 const struct load *load, struct sample *from)
{
	if (!strcmp(load->name, "send"))
		return run_send(control, xen, load, from);
	if (!strcmp(load->name, "tcp-send"))
		return run_tcp_send(control, xen, load, from);
	if (!strcmp(load->name, "tcp-receive"))
		return run_tcp_receive(control, xen, load, from);
	if (!strcmp(load->name, "transactions"))
		return run_transactions(control, xen, load, from);
	return run_receive(control, xen, load, from);
}

int main(int argc, char **argv)
{
	struct counters before, after;
	struct sample from, to;
	unsigned long count;
	xc_interface *xen;
	struct load load;
	int control;

	if (argc != 9) {
		fputs("benchpeer LOAD DOMID GUEST-IP TARGET-IP DEV VIF SIZE COUNT\n",
		      stderr);
		return 2;
	}
	load = (struct load){
		.name = argv[1], .domid = atoi(argv[2]),
		.guest_ip = argv[3], .target_ip = argv[4],
		.dev = argv[5], .vif = argv[6],
		.size = atoi(argv[7]), .count = strtoul(argv[8], NULL, 0),
	};
	xen = xc_interface_open(NULL, NULL, 0);
	if (!xen)
		die("xc_interface_open");
	control = connect_to(SOCK_STREAM, load.guest_ip, CONTROL_PORT);
	before = read_counters(control, &load);
	count = run(control, xen, &load, &from);
	to = sample(xen, load.domid);
	after = read_counters(control, &load);

	printf("{\"count\":%lu,\"asked\":%lu,\"wall\":%lu,\"guest\":%lu,\"dom0\":%lu",
	       count, load.count, to.wall - from.wall, to.guest - from.guest,
	       to.dom0 - from.dom0);
	printf(",\"guest_irqs\":%lu,\"dom0_irqs\":%lu",
	       after.interrupts - before.interrupts,
	       after.dom0_interrupts - before.dom0_interrupts);
	printf(",\"rx_packets\":%lu,\"tx_packets\":%lu,\"tx_dropped\":%lu}\n",
	       after.rx_packets - before.rx_packets,
	       after.tx_packets - before.tx_packets,
	       after.tx_dropped - before.tx_dropped);
	return 0;
}
