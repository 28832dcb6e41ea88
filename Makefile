# The front door. Plain `make` lists the targets.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# Tests wait a lot: three processes keep two cores busy.
PROCESSES ?= 3

.PHONY: help setup demo test test-containers test-compose test-matrix fuzz chaos image images wheels check format up services services-down bench docs lock clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) ## Make the virtual environment with the pinned packages

$(READY): requirements.lock pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing the pinned packages into $(VENV) (about a minute, once) ..." >&2
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: $(READY) ## Run the main job end to end on real servers, and show what happened
	@$(BIN)/python -m memlane.testing.demo

test: $(READY) ## Run every test, against real servers
	@$(BIN)/python -m pytest --numprocesses $(PROCESSES) --dist worksteal $(ARGS)

# What make test does on servers in containers; and, with docker compose and the image, the stack itself.
test-containers: $(READY) ## Run the integration tests on servers in containers
	@$(BIN)/python -m pytest --numprocesses $(PROCESSES) --dist worksteal --services=containers --only-on-servers \
	  tests/integration tests/acceptance/testing $(ARGS)

test-compose: $(READY) ## Run the compose stack as users do (needs docker compose, and make image)
	@$(BIN)/python -m pytest tests/compose $(ARGS)

test-matrix: $(READY) ## Run the integration tests on RabbitMQ 3.10 and 4.0 with Redis 7 and 8, and print a table
	@$(BIN)/python -m tests.matrix $(ARGS)

# COUNT=100000 SEED=1: so many messages, and the same ones again.
fuzz: $(READY) ## Send COUNT messages that nobody should send through a real lane
	@FUZZ_COUNT=$(COUNT) FUZZ_SEED=$(SEED) $(BIN)/python -m pytest -s -p no:randomly tests/fuzz $(ARGS)

chaos: $(READY) ## Break everything under load for MINUTES=20, then compare every sink with what was promised
	@$(BIN)/python -m tests.chaos --minutes $(or $(MINUTES),20) $(if $(SEED),--seed $(SEED)) $(ARGS)

check: $(READY) ## Format, lint, types, import rules, generated docs, file sizes
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python docs/generate.py --check
	@$(BIN)/python tests/house/file_sizes.py

format: $(READY) ## Format the code and mend what the linter can mend
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format .

up: $(READY) ## Start the whole system (servers and every role) and stay up until Ctrl-C
	@$(BIN)/python -m memlane.testing.servers run -- $(BIN)/memlane up

# WHEELS=1: from wheels that are made here first, where a build can reach no package index.
image: ## Build memlane's image, memlane:local
	@$(if $(WHEELS),$(MAKE) --no-print-directory wheels,rm -f compose/wheels/*.whl)
	@trap 'rm -f compose/wheels/*.whl' EXIT; docker build --quiet --file compose/Dockerfile --tag memlane:local .

# async-timeout: redis wants it on a Python below 3.11.3, as Debian's is.
wheels: $(READY)
	@rm -f compose/wheels/*.whl
	@sed -e '/^ *--hash/d' -e 's/ *\\$$//' requirements.lock > .memlane-constraints.txt
	@PIP_CONSTRAINT=.memlane-constraints.txt $(BIN)/python -m pip wheel --quiet --disable-pip-version-check \
	  --no-build-isolation --wheel-dir compose/wheels '.[worker]' async-timeout
	@rm -f .memlane-constraints.txt

images: ## Make the images of RabbitMQ, Redis and Python from Debian's packages (needs root and an engine)
	@compose/make-images $(ARGS)

services: $(READY) ## Find or start RabbitMQ and Redis, leave them running, print their URLs
	@$(BIN)/python -m memlane.testing.servers up $(if $(NODES),--nodes $(NODES))

services-down: $(READY) ## Stop what `make services` started
	@$(BIN)/python -m memlane.testing.servers down

bench: $(READY) ## Measure speed as ratios; prints a table, writes benchmarks/results.json
	@$(BIN)/python -m memlane.testing.servers run -- $(BIN)/python -m benchmarks $(ARGS)

docs: $(READY) ## Write the generated pages: schemas, topology, settings, command help
	@$(BIN)/python docs/generate.py

lock: ## Pin every package with its hashes (needs uv)
	uv pip compile pyproject.toml --all-extras --group dev --universal --generate-hashes \
	  --no-emit-index-url --no-header --python-version 3.11 --output-file requirements.lock

clean: ## Remove the virtual environment, caches and the servers' private data
	@test ! -x $(BIN)/python || $(BIN)/python -m memlane.testing.servers down
	rm -rf $(VENV) .memlane .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage
