# Python 3.11 or newer with pip and venv, and make: nothing else is needed. `make up` starts everything.
NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do $$p -c '$(NEW_ENOUGH)' 2>/dev/null && echo $$p && exit; done; echo python3)
PIP := .venv/bin/python -m pip install --quiet --disable-pip-version-check
# The locks name everything: an older pip that resolved again would take a release newer than its hash, by way of an extra.
LOCKED := --no-deps --require-hashes -r
# With its build tools in the lock as well, nothing is fetched that has no hash.
PROJECT := $(shell grep -qs '^setuptools==' requirements.lock && echo --no-build-isolation) --no-deps --editable .
BIN := .venv/bin
# More than one a core: many tests wait for real time to pass.
WORKERS ?= 4

.DEFAULT_GOAL := help
.PHONY: help up test check bench faults soak peers clients schemas lock venv dev

help:
	@echo "make up      start everything on this machine; Ctrl-C stops it"
	@echo "make test    run the whole suite"
	@echo "make check   lint, format, types, import contracts, schemas, generated clients"
	@echo "make bench   measure Parvis beside what one would use instead; writes docs/performance.md"
	@echo "make faults  kill, stop, flush and fill up everything under load; writes docs/promises.md"
	@echo "make soak    half an hour of steady load: memory, connections, files, tables and queues have to stay flat"
	@echo "make peers   real third-party servers on this machine, and what Parvis sees of them; needs Node and a C++ compiler"
	@echo "make schemas write the committed schemas and tables again"
	@echo "make lock    write the locks again from pyproject.toml; UPGRADE=--upgrade takes the newest releases"

up: venv
	@$(BIN)/parvis up

test: dev
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile

check: dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m services.settings_table --check
	@$(BIN)/python -m services.api.export --check
	@$(BIN)/check-jsonschema --quiet --builtin-schema vendor.compose-spec docker-compose.yml
	@PATH="$(CURDIR)/$(BIN):$$PATH" tests/clients/generate

# ONLY="door page" runs some of them; ARGS="--short" and the like go to the program.
bench: dev
	@$(BIN)/python -m tests.benchmarks $(ONLY) --out docs/performance.md $(ARGS)

faults: dev
	@$(BIN)/python -m tests.faults $(ONLY) --out docs/promises.md $(ARGS)

soak: dev
	@$(BIN)/python -m tests.faults.soak $(ARGS)

# ONLY=bluesky runs one of them. What can't be installed here is skipped, with a sentence.
peers: dev
	@$(BIN)/python -m tests.peers $(ONLY)

clients: dev
	@PATH="$(CURDIR)/$(BIN):$$PATH" tests/clients/generate

schemas: dev
	@$(BIN)/python -m services.settings_table --write
	@$(BIN)/python -m services.api.export

# Only the index counts: what one machine's configuration adds to it would change the hashes for everybody.
COMPILE := env -u PIP_FIND_LINKS -u PIP_EXTRA_INDEX_URL PIP_CONFIG_FILE=/dev/null CUSTOM_COMPILE_COMMAND="make lock" \
  $(BIN)/pip-compile --quiet --generate-hashes --allow-unsafe --all-build-deps --strip-extras --no-header \
  --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-emit-options $(UPGRADE)

lock: dev
	@echo "Locking what Parvis needs."
	@$(COMPILE) --output-file requirements.lock pyproject.toml
	@echo "Locking what the tests need."
	@$(COMPILE) --extra dev --constraint requirements.lock --output-file requirements-dev.lock pyproject.toml

venv: .venv/.installed

dev: .venv/.installed-dev

# The check is in a language that any Python speaks, and comes before anything that a too old one would stumble over.
.venv/.installed: pyproject.toml $(wildcard requirements.lock)
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Parvis needs Python 3.11 or newer, and $(PYTHON) is %s.%s: install a newer one, then run make PYTHON=python3.11 up" % sys.version_info[:2])' || exit 1
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "This Python lacks venv: install it (on Debian and Ubuntu: apt install python3-venv), then run make up again." >&2; exit 1; }
	@test -x $(BIN)/python && $(BIN)/python -c '$(NEW_ENOUGH)' 2>/dev/null || { echo "Making .venv."; $(PYTHON) -m venv --clear .venv; }
	@echo "Installing what Parvis needs."
	@if test -f requirements.lock; then $(PIP) $(LOCKED) requirements.lock && $(PIP) $(PROJECT); else $(PIP) --editable .; fi
	@touch $@

.venv/.installed-dev: .venv/.installed $(wildcard requirements-dev.lock)
	@echo "Installing what the tests need."
	@if test -f requirements-dev.lock; then $(PIP) $(LOCKED) requirements-dev.lock; else $(PIP) --editable '.[dev]'; fi
	@touch $@
