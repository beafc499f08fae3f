# SPDX-License-Identifier: GPL-2.0
# What people type; `make help` lists it. What the kernel's build sees is Kbuild.

KERNEL ?= $(shell uname -r)
BUILD ?= build
# Every Debian kernel whose headers are here: what the matrix builds for.
RELEASES = $(patsubst /usr/src/linux-headers-%/Module.symvers,%,$(wildcard /usr/src/linux-headers-*/Module.symvers))
SOURCES = Kbuild $(wildcard *.c *.h) $(shell find compat -name '*.h')
LAB = scripts/lab/run

.DEFAULT_GOAL := help

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

all: $(BUILD)/$(KERNEL)/xennet-lite.ko ## build the module for KERNEL (default: the running one)

modules: setup-build ## build it for every installed kernel's headers, with W=1
	@$(MAKE) --no-print-directory $(foreach r,$(RELEASES),$(BUILD)/$(r)/xennet-lite.ko) W=1

headers_of = $(firstword $(wildcard /usr/src/linux-headers-$(1) /lib/modules/$(1)/build))

# Built in a folder per kernel, so that one tree serves them all. The module
# with its debug information stays beside the sources there.
$(BUILD)/%/xennet-lite.ko: $(SOURCES)
	@test -n "$(call headers_of,$*)" || { echo "no headers for kernel $*: install linux-headers-$*, or say KERNEL=... (scripts/setup build brings Debian's)" >&2; exit 1; }
	@mkdir -p $(BUILD)/$*/src
	@cp -u --parents $(SOURCES) $(BUILD)/$*/src/
	$(MAKE) --no-print-directory -C $(call headers_of,$*) M=$(abspath $(BUILD)/$*/src) modules
	@strip --strip-debug -o $@ $(BUILD)/$*/src/xennet-lite.ko

demo: setup-all ## show a guest's NIC twice, then once: the main job
	@scripts/demo

check: setup-all ## every test; the last line counts them
	@scripts/check

unit: ## the user-space tests alone, unprivileged
	@scripts/check unit

bench: setup-all modules ## instructions per packet, ours and stock (ROWS, DRIVERS, TYPES, RUNS)
	@selftests/bench/run

soak: setup-all modules ## 200 random events in an HVM guest (SEED=, EVENTS=)
	@seed=$${SEED:-$$RANDOM$$$$}; echo "SEED=$$seed"; SEED=$$seed $(LAB) --types hvm --name soak \
		--timeout 7200 --set EVENTS=$(or $(EVENTS),200) soak

shell: setup-all modules ## a console in dom0 with a guest running (TYPE=pv|pvh|hvm)
	@$(LAB) --shell $(or $(TYPE),pv)

style: setup-all ## checkpatch --strict, sparse, W=1, shellcheck
	@scripts/style

setup-%:
	@scripts/setup $(filter-out all,$*)

install: all ## install the module for KERNEL (root)
	install -D -m 644 $(BUILD)/$(KERNEL)/xennet-lite.ko $(DESTDIR)/lib/modules/$(KERNEL)/updates/xennet-lite.ko
	DESTDIR=$(DESTDIR) scripts/admin-files install
	depmod -a $(if $(DESTDIR),-b $(DESTDIR)) $(KERNEL)

dkms-install: ## add, build and install by DKMS (root)
	@scripts/dkms install

dkms-remove: ## take it out of DKMS (root)
	@scripts/dkms remove

clean: ## remove what was built, not the lab's image
	rm -rf $(foreach r,$(RELEASES) $(KERNEL),$(BUILD)/$(r)) $(BUILD)/selftests

.PHONY: help all modules demo check unit bench soak shell style install dkms-install dkms-remove clean
.SECONDARY:
