# Everything a developer does, by name. Needs Python 3.11 or newer and make;
# all else is installed into .venv by the first target that needs it.
#
#   make run      start the whole network on this machine, in the foreground
#   make test     what a change has to pass
#   make help     the other targets

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules
SHELL := /bin/sh

PY := .venv/bin/python
TEST_PROCESSES ?= 3
# Paths in this file are relative, so that a space in the path of the repository
# never reaches make, which would split at it.
PACKAGE_FILES := $(wildcard proto/gen/pyproject.toml libs/*/pyproject.toml \
	services/*/pyproject.toml dev/pyproject.toml)
PACKAGES := $(patsubst %/pyproject.toml,./%,$(PACKAGE_FILES))

# A virtual environment holds absolute paths. When the repository was moved or
# copied, or its interpreter has gone, the old one is of no use.
ifneq ($(wildcard .venv/.place),)
ifneq ($(shell cat .venv/.place),$(CURDIR))
STALE := yes
endif
ifeq ($(wildcard $(PY)),)
STALE := yes
endif
ifeq ($(STALE),yes)
$(info The environment in .venv was made for another place; making it anew.)
$(shell rm -rf .venv)
endif
endif

# The first interpreter that is new enough and can make an environment. Each is
# run, not only looked up: the shims of version managers exist also for versions
# that are not chosen.
define FIND_PYTHON
for candidate in $${PYTHON:+"$$PYTHON"} python3.11 python3.12 python3.13 python3 \
	/usr/local/bin/python3 /usr/bin/python3.11 /usr/bin/python3; do \
	if "$$candidate" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' \
		>/dev/null 2>&1; then found="$$candidate"; break; fi; \
done; \
if [ -z "$${found:-}" ]; then \
	echo "No Python 3.11 or newer with the venv module was found." >&2; \
	echo "Install one (Debian: python3 and python3-venv), or name it: make PYTHON=/path/to/python3" >&2; \
	exit 1; \
fi
endef

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_NO_INPUT := 1
export PYTHON

.PHONY: help install run test check lint format types imports contract unit-test lock gen draft-migration chaos drill try-compose fuzz bench routes clean distclean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1|\2/p' Makefile | while IFS='|' read -r name text; do \
		printf '  %-12s %s\n' "$$name" "$$text"; done

install: .venv/.packages ## make or refresh .venv

.venv/.dependencies: requirements.lock
	@set -eu; \
	if [ ! -x $(PY) ]; then \
		$(FIND_PYTHON); \
		echo "Making .venv with $$found ($$("$$found" --version))"; \
		"$$found" -m venv .venv; \
	fi; \
	echo "Installing $$(grep -c '^[a-z0-9].*==' requirements.lock) locked packages; the first time takes a minute or two"; \
	$(PY) -m pip install --require-hashes --only-binary :all: -r requirements.lock; \
	printf '%s' "$(CURDIR)" > .venv/.place; \
	touch $@

.venv/.packages: .venv/.dependencies $(PACKAGE_FILES)
	@set -eu; \
	echo "Installing the packages of this repository"; \
	$(PY) -m pip install --quiet --no-deps --no-build-isolation --no-index \
		$(addprefix -e ,$(PACKAGES)); \
	touch $@

run: .venv/.packages ## start the whole network here; Ctrl-C stops it
	@exec $(PY) -m peyvandctl up

# Most tests wait more than they work, so several files go side by side, in the order that
# tests/conftest.py gives them; those that put the machine under load go alone, after the
# others. Where arguments choose some tests, one of the two runs may find none (exit status 5).
test: lint types imports contract ## what a change has to pass
	@$(PY) -m pytest -n $(TEST_PROCESSES) --dist loadfile --no-loadscope-reorder \
		-m "not alone" $(PYTEST_ARGS) \
		|| { status=$$?; [ $$status -eq 5 ] && [ -n "$(PYTEST_ARGS)" ]; }
	@$(PY) -m pytest -m alone $(PYTEST_ARGS) \
		|| { status=$$?; [ $$status -eq 5 ] && [ -n "$(PYTEST_ARGS)" ]; }

check: lint types imports contract ## the part of `test` that starts nothing

lint: .venv/.packages ## ruff: rules and format
	@$(PY) -m ruff check
	@$(PY) -m ruff format --check

format: .venv/.packages ## write the format and the fixes that are safe
	@$(PY) -m ruff check --fix
	@$(PY) -m ruff format

types: .venv/.packages ## basedpyright
	@$(PY) -m basedpyright

imports: .venv/.packages ## layers and independence of the services
	@.venv/bin/lint-imports

contract: .venv/.packages ## generated code is fresh, and no caller is broken
	@$(PY) proto/generate.py --check
	@$(PY) proto/check.py

unit-test: .venv/.packages ## only the tests that start no process
	@$(PY) -m pytest tests/unit $(PYTEST_ARGS)

gen: .venv/.packages ## generate code and the published document from proto/
	@$(PY) proto/generate.py
	@$(PY) -m gateway openapi services/gateway/openapi.json

draft-migration: .venv/.packages ## draft a revision: SERVICE=centers TEXT="floor area"
	@$(PY) -m peyvandctl.draft_migration "$(SERVICE)" "$(TEXT)"

chaos: .venv/.packages ## the long runs: kills, restarts in turn, outages, simulated lives, a bad line
	@$(PY) -m pytest tests/chaos -m chaos --chaos-seconds=300 --timeout=1800 $(PYTEST_ARGS)
	@$(PY) -m pytest tests/replicas --rolling-seconds=300 --away-seconds=300 --timeout=3600 $(PYTEST_ARGS)
	@$(PY) -m pytest tests/simulation --simulation-seeds=5000 --timeout=7200 $(PYTEST_ARGS)
	@$(PY) -m pytest tests/line --line-reports=100000 --timeout=7200 -s $(PYTEST_ARGS)

drill: .venv/.packages ## back up under load, lose it all, restore elsewhere, compare
	@$(PY) -m pytest tests/drill --drill-seconds=60 --timeout=3600 $(PYTEST_ARGS)

try-compose: .venv/.packages ## images and compose file for real; root, Debian's podman
	@$(PY) -m tests.compose $(COMPOSE_ARGS)

fuzz: .venv/.packages ## many random requests and examples, other ones each time
	@$(PY) -m pytest tests/unit tests/integration/projects/test_dossier.py \
		tests/integration/projects/test_life_over_the_api.py tests/e2e/test_schemathesis.py \
		--at-random --fuzz-examples=50 $(PYTEST_ARGS)

bench: .venv/.packages ## measure, and compare with the plain monolith
	@$(PY) -m tests.bench $(BENCH_ARGS)

routes: .venv/.packages ## where each route of the gateway comes from
	@$(PY) -m gateway routes

# uv resolves for the oldest Python that is supported, and lives in an environment
# of its own: nothing of the project needs it.
lock: ## resolve requirements.in into requirements.lock; UPGRADE=1 takes newer versions
	@set -eu; \
	$(FIND_PYTHON); \
	dir=$$(mktemp -d); trap 'rm -rf "$$dir"' EXIT; \
	"$$found" -m venv "$$dir/uv"; \
	"$$dir/uv/bin/python" -m pip install --quiet uv; \
	if [ -z "$(UPGRADE)" ]; then cp requirements.lock "$$dir/lock"; fi; \
	"$$dir/uv/bin/uv" pip compile --quiet --no-header --generate-hashes --no-emit-index-url \
		--no-emit-find-links --python-version 3.11 requirements.in -o "$$dir/lock"; \
	{ echo "# This file is generated from requirements.in. Change that one, then run: make lock"; \
		cat "$$dir/lock"; } > requirements.lock

clean: ## remove caches and what tests leave
	@rm -rf .ruff_cache .pytest_cache .hypothesis .import_linter_cache .tmp
	@find . -name __pycache__ -type d -not -path './.venv/*' -prune -exec rm -rf {} +

distclean: clean ## also remove .venv; the data in .peyvand stays
	@rm -rf .venv
