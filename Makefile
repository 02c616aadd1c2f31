# What one does with this repository. Everything works on a fresh Debian with a Rust toolchain and the usual package
# registries; CARGO_TARGET_DIR is honoured.

CARGO ?= cargo
# runs of the soak test, and the file of the seeds that are done
SOAK_RUNS ?= 1000
SOAK_STATE ?= $(or $(CARGO_TARGET_DIR),target)/soak/seeds.txt

.PHONY: demo test bench fuzz soak lint docs setup

# The whole story against the emulators, in one command.
demo:
	$(CARGO) run --quiet --locked --package sterna -- demo

# Installs what the tests need besides Rust (Debian, PyPI, npm), and says what it does.
setup:
	@scripts/setup.sh

# Every test; the runner's own summary comes last.
test: setup
	@scripts/test.sh

# Format, lints, documentation, licences and banned crates.
lint:
	@scripts/lint.sh

# Writes the generated pages of docs/ anew.
docs:
	STERNA_UPDATE_DOCS=1 $(CARGO) test --quiet --package sterna --bin sterna docs::

# Quota, speed, memory and life side by side, as ratios to a bare baseline of the same run; about half an hour. PART=speed
# (or quota, beside, side, hashes, sql, jit, scim) runs one part, QUICK=1 a small version. Figures: docs/performance.md.
bench:
	$(CARGO) build --locked --release --package sterna --package sterna-bench
	$(CARGO) run --locked --release --quiet --package sterna-bench -- $(PART)

# The long crash and fault test: a thousand runs, seeds printed, resumable.
soak:
	@mkdir -p $(dir $(SOAK_STATE))
	STERNA_SOAK_RUNS=$(SOAK_RUNS) STERNA_SOAK_STATE=$(abspath $(SOAK_STATE)) \
	    $(CARGO) test --locked --package sterna --test it -- --nocapture scenario::crash::soak
	@echo "seeds that survived: $(SOAK_STATE) (remove it to run them again)"

# Every parser of outside data against made-up input, FUZZ_SECS seconds each (default 30).
fuzz:
	@scripts/fuzz.sh
