# How Precise is set up, run and checked. Needs make, git and Python 3.11 with venv; everything else is installed
# into .venv, and all state lies under var/.

SHELL := /bin/sh
.SHELLFLAGS := -eu -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:

VENV := .venv
PYTHON := $(VENV)/bin/python
UV := $(VENV)/bin/uv
LAUNCH := $(PYTHON) -m config.services --stop-with-parent
BENCH ?=
EXAMPLES ?= 500
ARGS ?=

# Settings that linters need to import the project, but never connect to.
LINT_ENV := SECRET_KEY=lint DATABASE_URL=postgresql://lint@127.0.0.1/lint CLICKHOUSE_URL=http://127.0.0.1:1/lint \
	DATABASE_ADMIN_URL=postgresql://lint@127.0.0.1/lint REDIS_URL=redis://127.0.0.1:1/0

.PHONY: help run test check lint fuzz bench manage stop clean install install-dev python chromium requirements

help: ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-13s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

run: install ## everything, at http://localhost:8000 (PORT=9000 make run: another port)
	@exec $(LAUNCH) run

test: install-dev chromium ## all tests, under services of their own (ARGS="-k pacing" for some)
	@exec $(LAUNCH) exec --fresh -- $(PYTHON) -m pytest $(ARGS)

check: ## exactly what CI runs: lint, then test
	@$(MAKE) --no-print-directory lint
	@$(MAKE) --no-print-directory test

lint: install-dev ## ruff, mypy, import rules, missing migrations
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m ruff format --check .
	@$(LINT_ENV) $(PYTHON) -m mypy
	@$(VENV)/bin/lint-imports --no-logo
	@exec $(LAUNCH) exec --data var/lint-services --fresh -- $(PYTHON) manage.py makemigrations --check --dry-run

fuzz: install-dev ## the API against its OpenAPI document, with made-up requests (EXAMPLES=500 of each kind)
	@FUZZ_EXAMPLES=$(EXAMPLES) exec $(LAUNCH) exec --data var/fuzz-services --fresh -- \
		$(PYTHON) -m pytest tests/api/test_openapi.py -q

bench: install-dev ## benchmarks (BENCH=name for one)
	@exec $(LAUNCH) exec --data var/bench-services -- $(PYTHON) -m tests.bench $(BENCH)

manage: install ## a Django command beside a running site: make manage ARGS="check"
	@$(PYTHON) manage.py $(or $(ARGS),help)

stop: ## stop the site that runs from this folder
	@if [ -x $(PYTHON) ]; then $(PYTHON) -m config.services stop; fi

clean: ## stop, then remove .venv and var/ with all data (asks first; YES=1 does not)
	@if [ "$(YES)" != 1 ]; then \
		printf 'Remove .venv and var/ with all stored data? [y/N] '; read -r answer || answer=n; \
		case "$$answer" in y|Y|yes) ;; *) echo 'Nothing was removed.'; exit 1 ;; esac; \
	fi
	@$(MAKE) --no-print-directory stop
	rm -rf $(VENV) var

install: python $(VENV)/base.stamp

install-dev: python $(VENV)/dev.stamp

# Finds Python 3.11 or newer under its usual names, and makes .venv again when it is missing or broken.
python:
	@if $(PYTHON) -c 'import sys, pip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then exit 0; fi; \
	for name in python3.11 python3 python3.12 python3.13; do \
		if $$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then found=$$name; break; fi; \
	done; \
	if [ -z "$${found:-}" ]; then \
		echo "Precise needs Python 3.11 or newer; here is: $$(python3 --version 2>&1 || true)" >&2; \
		echo "Debian and Ubuntu: apt-get install python3 python3-venv" >&2; exit 1; \
	fi; \
	if ! $$found -c 'import ensurepip' 2>/dev/null; then \
		echo "This Python has no venv. Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; \
	fi; \
	echo "  python     making .venv with $$($$found --version)"; \
	$$found -m venv --clear $(VENV)

$(VENV)/base.stamp: requirements/base.txt
	@$(call install-from,requirements/base.txt)
	@touch $@

$(VENV)/dev.stamp: requirements/dev.txt
	@$(call install-from,requirements/dev.txt)
	@touch $@ $(VENV)/base.stamp

# uv for speed; pip when uv cannot be had or cannot reach the packages (it does not read pip's settings).
define install-from
echo "  packages   installing $(1) (about 1 GB on disk the first time)"; \
if [ -x $(UV) ] || $(PYTHON) -m pip install --quiet --disable-pip-version-check --only-binary :all: \
	"$$(sed -n 's/^\(uv==[^ ]*\).*/\1/p' requirements/dev.txt)"; then \
	if $(UV) pip install --python $(PYTHON) --require-hashes -r $(1); then exit 0; fi; \
	echo "  packages   uv did not manage, trying pip"; \
fi; \
$(PYTHON) -m pip install --disable-pip-version-check --require-hashes -r $(1) || { \
	echo "The packages could not be installed: see above (network, package index, disk space)." >&2; exit 1; }
endef

chromium:
	@if command -v chromium >/dev/null; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo '  chromium   installing it for the browser tests'; \
		(apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium) >/dev/null || \
			echo 'Chromium could not be installed; browser tests are skipped.'; \
	else \
		echo 'Browser tests are skipped: they need Chromium (as root: apt-get install chromium).'; \
	fi

requirements: install-dev ## pin requirements/*.in again (UPGRADE=--upgrade for newer versions)
	@for name in base dev; do \
		$(UV) pip compile --quiet --generate-hashes --no-emit-index-url --no-emit-find-links --python-version 3.11 \
			--custom-compile-command 'make requirements' $(UPGRADE) requirements/$$name.in -o requirements/$$name.txt; \
	done
