# Banyan: `make` lists what there is. Everything lives in .venv; nothing needs root.
SHELL := /bin/sh
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.made-from
UV_VERSION := 0.13.9

ENGINE ?= llama
LOSS ?= cispo
BASE ?= stand-in
DOCUMENT ?= default
GOAL ?=
TESTS ?= tests
# Where the CPU build of torch is: the folder that pip is told of, else PyTorch's index.
TORCH_LINKS := $(if $(PIP_FIND_LINKS),$(addprefix --find-links ,$(PIP_FIND_LINKS)),--torch-backend cpu)

.PHONY: help setup demo test train-setup train-test train-demo images-check lint lock clean

help: ## Say what each target does
	@printf 'Usage: make TARGET [NAME=VALUE ...]\n\n'
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@printf '\n  ENGINE=llama|vllm   model server of the demo (default llama, embedded)\n'
	@printf '  DOCUMENT=default|long|PATH   what the demo reads (20k tokens, 110k, or your file)\n'
	@printf '  GOAL="..."          what the demo asks\n'
	@printf '  LOSS=cispo|ppo      loss of the training demo\n'
	@printf '  BASE=stand-in|IMAGE what images stand on (default: made of Debian packages, no registry)\n'
	@printf '  TESTS=PATH          the part of the tests to run\n'

setup: $(STAMP) ## Make .venv with the service, workers, client and tests
	@:

# The stamp holds what the environment was made from, so that nothing is done twice.
$(STAMP): requirements/service.lock pyproject.toml Makefile
	@set -eu; \
	if [ ! -x $(BIN)/python ]; then \
	  for name in python3.11 python3.12 python3.13 python3; do \
	    if command -v "$$name" >/dev/null 2>&1 && "$$name" -c \
	      'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; \
	    then found="$$name"; break; fi; \
	  done; \
	  if [ -z "$${found:-}" ]; then \
	    echo 'Banyan needs Python 3.11 or newer with venv; found none of python3.11, python3.12,' \
	      'python3.13, python3 that is. Install one, for example: apt-get install python3 python3-venv' >&2; \
	    exit 1; \
	  fi; \
	  echo "Making $(VENV) with $$($$found --version)"; \
	  "$$found" -m venv $(VENV); \
	fi; \
	[ -x $(BIN)/uv ] && [ "$$($(BIN)/uv --version | cut -d' ' -f2)" = "$(UV_VERSION)" ] || \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION); \
	export VIRTUAL_ENV="$(CURDIR)/$(VENV)"; \
	$(BIN)/uv pip sync --quiet requirements/service.lock; \
	$(BIN)/uv pip install --quiet --no-deps --editable .; \
	cksum requirements/service.lock pyproject.toml > $@

# The values go through the environment, so that quotes in a question stay what they are.
demo: export DEMO_GOAL = $(GOAL)
demo: export DEMO_DOCUMENT = $(DOCUMENT)
demo: ## Solve a question over a long document with everything on this machine
	@began=$$(date +%s); $(MAKE) --no-print-directory setup && \
	exec $(BIN)/python -P -m banyan.local.demo --engine "$(ENGINE)" \
	  --document "$$DEMO_DOCUMENT" --goal "$$DEMO_GOAL" --setup-s $$(($$(date +%s) - began))

test: lint ## Run everything: style, types, layout and all tests on real parts
	$(BIN)/python -P -m banyan.local.engine_env
ifeq ($(TESTS),tests)
	$(BIN)/python -m tests.fixtures.clients_env
	$(BIN)/python -m tests.fixtures.deploy_env
	$(BIN)/python -P -m banyan.local.training_env
endif
	$(BIN)/python -m pytest $(TESTS)
ifeq ($(TESTS),tests)
	$(MAKE) --no-print-directory train-test
endif

train-setup: setup ## Make the trainer's environment (torch, TRL), which is kept outside the clone
	$(BIN)/python -P -m banyan.local.training_env

train-demo: train-setup ## Train, publish and swap SmolLM2-135M on this machine (10 to 20 minutes)
	exec $(BIN)/python -P -m training.online.demo --loss "$(LOSS)"

# These tests run in the trainer's environment, and mypy sees torch's own types there; what `training`
# stands on is checked by `lint`, with the stubs of its own packages.
train-test: setup ## Run the tests that need torch, in the trainer's environment
	@set -eu; python=$$($(BIN)/python -P -m banyan.local.training_env); \
	$(BIN)/mypy --python-executable "$$python" --cache-dir .mypy_cache/torch \
	  --follow-imports silent training tests/training_torch; \
	PYTHONPATH="$(CURDIR)" "$$python" -m pytest --confcutdir tests/training_torch \
	  tests/training_torch

images-check: setup ## Build the images and run them (root, Debian; minutes, 6 GB outside the clone)
	$(BIN)/python -m pytest --confcutdir tests/images --timeout 3600 --base "$(BASE)" -rP tests/images

lint: setup ## Check style, spelling, types and the direction of imports
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/codespell
	$(BIN)/mypy
	$(BIN)/lint-imports

lock: setup ## Resolve the dependencies anew and write the lock files (not the engines')
	$(BIN)/uv pip compile --override requirements/overrides.txt --python-version 3.11 \
	  --generate-hashes --extra dev pyproject.toml -o requirements/service.lock --no-emit-index-url
	$(BIN)/uv pip compile --override requirements/engine-overrides.txt --python-version 3.11 \
	  --generate-hashes --constraint requirements/service.lock --extra training pyproject.toml \
	  requirements/training.in -o requirements/training.lock --no-emit-index-url \
	  --no-emit-find-links $(TORCH_LINKS)
	$(BIN)/uv pip compile --python-version 3.11 --generate-hashes \
	  --constraint requirements/service.lock requirements/clients.in \
	  -o requirements/clients.lock --no-emit-index-url
	$(BIN)/uv pip compile --override requirements/deploy-overrides.txt --python-version 3.11 \
	  --generate-hashes requirements/deploy.in -o requirements/deploy.lock --no-emit-index-url
	$(BIN)/uv pip compile --python-version 3.11 --generate-hashes \
	  requirements/peers.in -o requirements/peers.lock --no-emit-index-url

clean: ## Remove what was made here (not the engine's environment)
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache var
