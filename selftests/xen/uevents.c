// SPDX-License-Identifier: GPL-2.0
/*
 * Prints each uevent of the kernel as one line, action@path, at once: what
 * udev would hear. Ends with its caller's signal.
 */
#include <linux/netlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int main(void)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK, .nl_groups = 1 };
	int room = 1 << 20;
	char event[8192];
	ssize_t len;
	int fd;

	fd = socket(AF_NETLINK, SOCK_DGRAM, NETLINK_KOBJECT_UEVENT);
	if (fd < 0 || bind(fd, (struct sockaddr *)&kernel, sizeof(kernel))) {
		perror("uevents");
		return 1;
	}
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	while ((len = recv(fd, event, sizeof(event) - 1, 0)) > 0) {
		event[len] = '\0';
		dprintf(STDOUT_FILENO, "%s\n", event);
	}
	perror("uevents");
	return 1;
}
