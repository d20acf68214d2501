# Python 3.11 or newer with pip and venv, and make: nothing else is needed. `make up` starts everything.
NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do $$p -c '$(NEW_ENOUGH)' 2>/dev/null && echo $$p && exit; done; echo python3)
PIP := .venv/bin/python -m pip install --quiet --disable-pip-version-check
# With its build tools in the lock as well, nothing is fetched that has no hash.
PROJECT := $(shell grep -qs '^setuptools==' requirements.lock && echo --no-build-isolation) --no-deps --editable .
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help up test check venv dev

help:
	@echo "make up      start everything on this machine; Ctrl-C stops it"
	@echo "make test    run the whole suite"
	@echo "make check   lint, format, types, import contracts"

up: venv
	@$(BIN)/parvis up

test: dev
	@$(BIN)/python -m pytest

check: dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

venv: .venv/.installed

dev: .venv/.installed-dev

# The check is in a language that any Python speaks, and comes before anything that a too old one would stumble over.
.venv/.installed: pyproject.toml $(wildcard requirements.lock)
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Parvis needs Python 3.11 or newer, and $(PYTHON) is %s.%s: install a newer one, then run make PYTHON=python3.11 up" % sys.version_info[:2])' || exit 1
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "This Python lacks venv: install it (on Debian and Ubuntu: apt install python3-venv), then run make up again." >&2; exit 1; }
	@test -x $(BIN)/python && $(BIN)/python -c '$(NEW_ENOUGH)' 2>/dev/null || { echo "Making .venv."; $(PYTHON) -m venv --clear .venv; }
	@echo "Installing what Parvis needs."
	@if test -f requirements.lock; then $(PIP) --require-hashes -r requirements.lock && $(PIP) $(PROJECT); else $(PIP) --editable .; fi
	@touch $@

.venv/.installed-dev: .venv/.installed
	@echo "Installing what the tests need."
	@$(PIP) --editable '.[dev]'
	@touch $@
