# The few commands of this project. Each installs what it needs first (Debian 12; quick when all is
# there), writes progress here and details to build/logs/.
.DEFAULT_GOAL := help
.PHONY: help demo demo-native test test-native test-x86 simulate combined-day wasapi-hour lint format bench dist vendor reproducible clean

install = tools/install-dependencies.sh

help:
	@echo "make demo         play through the Windows driver, two hosts at once, and measure it"
	@echo "make demo-native  the same with the native build"
	@echo "make test         every test: native, under sanitizers, and for Windows under Wine"
	@echo "make test-native  the native tests only"
	@echo "make test-x86     the 32-bit driver and host with the 64-bit service, in a Wine of their own"
	@echo "make simulate     days of faults under virtual time; SEEDS=200, or SEED=n to see one again"
	@echo "make combined-day a day of three devices as one under virtual time; HOURS=1 for a short one"
	@echo "make wasapi-hour  an hour of each kind of Windows device under virtual time; MINUTES=5"
	@echo "make lint         format, includes, rules, a second compiler's view"
	@echo "make format       format every source file in place"
	@echo "make bench        benchmarks; ratios within one run"
	@echo "make dist         what users get, in build/dist: signed setup, archives, bill of materials"
	@echo "make vendor       PROFILE=vendors/example.toml: a vendor's own signed setup"
	@echo "make reproducible builds twice, in two folders, and compares every byte"
	@echo "make clean        remove build/, and stop what runs there"

demo:
	@$(install) build windows wine demo
	@tools/build.sh windows-x64-dll windows-x64:asio-driver,asio-host
	@python3 tools/demo/demo.py

demo-native:
	@$(install) build demo
	@tools/build.sh release:asio-driver,asio-host,asio_driver_module
	@python3 tools/demo/demo.py --native

test:
	@$(install) build windows wine demo pulse x86 installer
	@tools/test.sh

test-native:
	@$(install) build demo
	@ASIODRV_TEST_TREES=debug tools/test.sh

test-x86:
	@$(install) build windows wine demo x86
	@tools/build.sh windows-x86 windows-x64-dll windows-x64:asio-driver,asio-host
	@tools/wine/test-x86.sh

simulate:
	@$(install) build
	@tools/build.sh release:simulate
	@tools/simulate.py $(if $(SEED),--seed $(SEED),--seeds $(or $(SEEDS),20)) \
	  $(if $(MINUTES),--minutes $(MINUTES)) $(if $(CANARY),--canary $(CANARY)) $(if $(JSON),--json)

combined-day:
	@$(install) build
	@tools/build.sh release:combined_day
	@tools/combined_day.py --hours $(or $(HOURS),24)

wasapi-hour:
	@$(install) build
	@tools/build.sh debug:wasapi_hour_test
	@ASIODRV_VIRTUAL_MINUTES=$(or $(MINUTES),60) build/debug/bin/wasapi_hour_test

lint:
	@$(install) build lint
	@python3 tools/lint/lint.py

format:
	@$(install) lint
	@python3 tools/lint/lint.py --fix-format

bench:
	@$(install) build windows wine bench demo pulse
	@# Another goal may have made this tree before the peers were installed: look for them again.
	@tools/step.sh "configure release" cmake --preset release
	@tools/build.sh release windows-x64-dll windows-x64:asio-driver,asio-host,event_bench
	@tools/bench/run.py

dist:
	@$(install) build windows installer
	@tools/build.sh windows-x64-dll windows-x64:asio-driver,asio-host windows-x86 \
	  release:asio-driver,asio-host,asio_driver_module
	@python3 tools/dist.py

vendor:
	@$(install) build windows installer
	@python3 -B tools/release/vendor.py "$(or $(PROFILE),vendors/example.toml)"

reproducible:
	@$(install) build windows
	@python3 -B tools/reproducible.py $(TREES)

clean:
	@if [ -d build/wine ]; then tools/wine/stop.sh; \
	  ASIODRV_WINE_PREFIX="$(CURDIR)/build/wine/installer-prefix" tools/wine/stop.sh; fi
	@rm -rf build
