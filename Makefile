# All tasks of this checkout; `make help` lists them.
#   make install PYTHON=python3.12    with that interpreter
#   make test PYTEST_ARGS="-k codec"  some of the tests (-n 0: in one process, for a debugger)

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
PYTEST_ARGS ?=
ARGS ?=
BIN := .venv/bin

.PHONY: help install test test-slow test-security test-variants test-interruptions test-all demo docs lock clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | column -t -s '|' 2>/dev/null \
	  || sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1: \2/p' $(MAKEFILE_LIST)

install: ## make .venv with everything in it, unless it is up to date
	@scripts/install

test: install ## lint, types, and the test suite without its slow parts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/python -m pytest -q -n 2 --dist loadfile -m "not slow and not security" $(PYTEST_ARGS)

test-slow: install ## the slow part of the test suite, with the variants
	$(BIN)/python -m pytest -q -m slow $(PYTEST_ARGS)

test-security: install ## all security tests: attacks through the pipeline, also generated ones, with both starts
	KERNELS=warm $(BIN)/python -m pytest -q tests/security $(PYTEST_ARGS)
	KERNELS=cold $(BIN)/python -m pytest -q tests/security $(PYTEST_ARGS)

test-variants: install ## a hundred honest variants of the lessons' solutions and a hundred wrong ones, graded
	$(BIN)/python -m pytest -q tests/lessons/test_variants.py $(PYTEST_ARGS)

test-interruptions: install ## batches that are killed, locked out or out of disk must lose nothing (ARGS="--kills 200")
	PYTHONPATH=tests $(BIN)/python -m interruptions $(ARGS)

test-all: ## the slow, security, variants and interruption tests, one after the other: some hours
	$(MAKE) test-slow
	$(MAKE) test-security
	$(MAKE) test-variants
	$(MAKE) test-interruptions

demo: install ## a course with a small class, graded from end to end
	$(BIN)/autograder demo

docs: ## build the docs site in site/; a dead link is an error
	@scripts/docs

lock: ## requirements.lock and requirements-docs.lock from pyproject.toml (UPGRADE=1: the newest versions)
	@scripts/lock $(if $(UPGRADE),--upgrade)

clean: ## remove .venv, caches and builds
	rm -rf .venv .venv-docs site build dist .pytest_cache .mypy_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
