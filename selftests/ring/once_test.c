// SPDX-License-Identifier: GPL-2.0
/*
 * A backend may change the shared page at any time. Here it does so between
 * any two accesses: the page is protected, each access faults, runs by single
 * step, and then the page is overwritten. What was read first must hold.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "ring_test.h"

#ifdef __x86_64__

#define TRAP_FLAG	0x100
#define FAULT_WRITE	0x2

static struct {
	char *page;
	int scribble;		/* written over the page, or -1 for none */
	unsigned int reads[XEN_PAGE_SIZE / 8];
	unsigned int writes;
	struct sigaction old_segv, old_trap;
} spy;

static void on_access(int signal, siginfo_t *info, void *context)
{
	ucontext_t *user = context;
	unsigned long at = (char *)info->si_addr - spy.page;

	if (at >= XEN_PAGE_SIZE) {
		sigaction(signal, &spy.old_segv, NULL);
		return;
	}
	if (user->uc_mcontext.gregs[REG_ERR] & FAULT_WRITE)
		spy.writes++;
	else
		spy.reads[at / 8]++;
	mprotect(spy.page, XEN_PAGE_SIZE, PROT_READ | PROT_WRITE);
	user->uc_mcontext.gregs[REG_EFL] |= TRAP_FLAG;
}

static void on_step(int signal, siginfo_t *info, void *context)
{
	ucontext_t *user = context;

	(void)signal;
	(void)info;
	user->uc_mcontext.gregs[REG_EFL] &= ~TRAP_FLAG;
	if (spy.scribble >= 0) {
		unsigned int i;

		for (i = 0; i < XEN_PAGE_SIZE; i++)
			((volatile char *)spy.page)[i] = spy.scribble;
	}
	mprotect(spy.page, XEN_PAGE_SIZE, PROT_NONE);
}

static void spy_on(void *page, int scribble)
{
	struct sigaction access = { .sa_flags = SA_SIGINFO },
			 step = { .sa_flags = SA_SIGINFO };

	access.sa_sigaction = on_access;
	step.sa_sigaction = on_step;
	memset(&spy, 0, sizeof(spy));
	spy.page = page;
	spy.scribble = scribble;
	sigaction(SIGSEGV, &access, &spy.old_segv);
	sigaction(SIGTRAP, &step, &spy.old_trap);
	mprotect(page, XEN_PAGE_SIZE, PROT_NONE);
}

static void spy_off(void)
{
	mprotect(spy.page, XEN_PAGE_SIZE, PROT_READ | PROT_WRITE);
	sigaction(SIGSEGV, &spy.old_segv, NULL);
	sigaction(SIGTRAP, &spy.old_trap, NULL);
}

static unsigned int all_reads(void)
{
	unsigned int i, reads = 0;

	for (i = 0; i < ARRAY_SIZE(spy.reads); i++)
		reads += spy.reads[i];
	return reads;
}

/* A packet of three data slots and three extra infos. */
static void answer_packet(void)
{
	answer(0, 1, EXTRA | MORE, 256 + 100);
	answer_gso(1, XEN_NETIF_EXTRA_FLAG_MORE, XEN_NETIF_GSO_TYPE_TCPV4, 40);
	answer_extra(2, (struct xen_netif_extra_info){
		.type = XEN_NETIF_EXTRA_TYPE_HASH,
		.flags = XEN_NETIF_EXTRA_FLAG_MORE,
		.u.hash = { .type = 1, .value = { 5, 6, 7, 8 } },
	});
	answer_headroom(3, 256);
	answer(4, 2, MORE, 256 + 200);
	answer(5, 3, 0, 256 + 300);
}

/* How many accesses the ring macro's one copy of a response comes to. */
static unsigned int reads_of_one_copy(void)
{
	struct xen_netif_rx_response rsp;
	unsigned int reads;

	spy_on(rx.sring, -1);
	RING_COPY_RESPONSE(&rx, INDEX_START, &rsp);
	reads = all_reads();
	spy_off();
	EXPECT(reads >= 1 && rsp.id == 0xdead);
	return reads;
}

static void each_response_is_read_once(void)
{
	unsigned int once;

	answer_packet();
	once = reads_of_one_copy();
	spy_on(rx.sring, -1);
	parse(6);
	spy_off();
	EXPECT(packet.bad == XNL_RX_GOOD && packet.len == 600);
	EXPECT(all_reads() == 6 * once);
	EXPECT(spy.writes == 0);
}

/* Only the slot that is read is spared: all others lie by then. */
static void check_changed_response(int scribble)
{
	unsigned int slot = (INDEX_START & XNL_RING_MASK);
	unsigned int i;

	answer(0, 1, 0, 100);
	spy_on(rx.sring, scribble);
	parse(1);
	spy_off();
	EXPECT(packet.bad == XNL_RX_GOOD);
	EXPECT(packet.nr_ring == 1 && packet.nr_data == 1);
	EXPECT(packet.slot[0].offset == 1 && packet.slot[0].len == 100);
	EXPECT(packet.len == 100);
	for (i = 0; i < ARRAY_SIZE(spy.reads); i++)
		if (i != 8 + slot)
			EXPECT(spy.reads[i] == 0);
}

static void response_changed_between_reads_is_harmless(void)
{
	answer(0, 0, 0, 100);
	if (reads_of_one_copy() != 1) {
		ktap_skipped = "this compiler copies a response in pieces";
		return;
	}
	check_changed_response(0x00);
	check_changed_response(0x7f);
	check_changed_response(0xff);
}

/* Whatever the page turns into, what comes out agrees with itself. */
static void check_changed_packet(int scribble)
{
	unsigned int i, len = 0;

	answer_packet();
	spy_on(rx.sring, scribble);
	parse(6);
	spy_off();
	EXPECT(packet.nr_ring >= 1 && packet.nr_ring <= 6);
	EXPECT(packet.nr_data <= packet.nr_ring);
	for (i = 0; i < packet.nr_data; i++) {
		EXPECT(packet.slot[i].ring < packet.nr_ring);
		EXPECT(packet.slot[i].len > 0);
		EXPECT(packet.slot[i].offset + packet.slot[i].len <=
		       (int)XEN_PAGE_SIZE);
		len += packet.slot[i].len;
	}
	EXPECT(len == packet.len);
}

static void packet_changed_while_parsed_agrees_with_itself(void)
{
	int scribble;

	for (scribble = 0; scribble < 256; scribble++)
		check_changed_packet(scribble);
}

static void requests_are_never_read_back(void)
{
	spy_on(tx.sring, 0xff);
	xnl_tx_request(&tx, 1, 2, 100, XEN_NETTXF_extra_info, 4);
	xnl_tx_extra_gso(&tx, XEN_NETIF_GSO_TYPE_TCPV4, 1448);
	spy_off();
	EXPECT(all_reads() == 0 && spy.writes > 0);
	spy_on(rx.sring, 0xff);
	xnl_rx_request(&rx, 9);
	spy_off();
	EXPECT(all_reads() == 0 && spy.writes > 0);
}

#else /* __x86_64__ */

static void no_single_step(void)
{
	ktap_skipped = "single stepping is done on x86-64 only";
}

#define each_response_is_read_once no_single_step
#define response_changed_between_reads_is_harmless no_single_step
#define packet_changed_while_parsed_agrees_with_itself no_single_step
#define requests_are_never_read_back no_single_step

#endif

const struct ktap_test once_tests[] = {
	KTAP_TEST(each_response_is_read_once),
	KTAP_TEST(response_changed_between_reads_is_harmless),
	KTAP_TEST(packet_changed_while_parsed_agrees_with_itself),
	KTAP_TEST(requests_are_never_read_back),
};

const unsigned int once_tests_count = ARRAY_SIZE(once_tests);
