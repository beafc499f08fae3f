/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The least that a user-space test needs to speak KTAP: a list of named tests,
 * a check that notes where it failed, and a runner.
 */
#ifndef KTAP_H
#define KTAP_H

#include <stdbool.h>
#include <stdio.h>

struct ktap_test {
	const char *name;
	void (*run)(void);
};

#define KTAP_TEST(function) { #function, function }

extern bool ktap_failed;

#define EXPECT(condition)						\
	do {								\
		if (!(condition)) {					\
			printf("# %s:%d: not so: %s\n", __FILE__,	\
			       __LINE__, #condition);			\
			ktap_failed = true;				\
		}							\
	} while (0)

#endif /* KTAP_H */
