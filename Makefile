# All tasks of this checkout; `make help` lists them.
#   make install PYTHON=python3.12    with that interpreter
#   make test PYTEST_ARGS="-k codec"  some of the tests (-n 0: in one process, for a debugger)
#   make test WORKERS=3               in three processes, each of up to 2 GB

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
PYTEST_ARGS ?=
ARGS ?=
CORES := $(shell nproc 2>/dev/null || getconf _NPROCESSORS_ONLN)
WORKERS ?= $(shell echo $$(( $(CORES) < 8 ? $(CORES) : 8 )))
BIN := .venv/bin
unexport PYTHONDONTWRITEBYTECODE # else each run would compile all tests anew, in each of its processes

.PHONY: help install lint bytecode test-unit test test-slow test-security test-variants test-interruptions test-anywhere test-oldest-keras test-oldest-pandas test-otter test-hub test-torch test-all conformance demo docs lock clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | column -t -s '|' 2>/dev/null \
	  || sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1: \2/p' $(MAKEFILE_LIST)

install: ## make .venv with everything in it, unless it is up to date
	@scripts/install

test-unit: install ## the unit tests, in a few minutes: no sandbox, no Keras (plain pytest)
	$(BIN)/python -m pytest -q -n 2 --dist loadfile $(PYTEST_ARGS)

test: install ## lint, types, workflows and scripts, unit and integration tests: what continuous integration runs
	@scripts/install-torch --if-small
	@$(MAKE) --no-print-directory --jobs=2 --output-sync lint bytecode
	$(BIN)/python -m pytest -q -n $(WORKERS) --dist loadfile --no-loadscope-reorder --times=10 -m "not slow and not security and not prose" $(PYTEST_ARGS)

lint: install ## lint, types, workflows and scripts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	@scripts/lint-files

bytecode: install ## byte code: sandboxes cannot write it, and each of the workers of a new checkout would compile all tests
	@umask 022 && $(BIN)/python -m compileall -q autograder
	@[ -d tests/__pycache__ ] || $(BIN)/python -m pytest -q -n 0 --collect-only -m "" > /dev/null || true # the run itself says what is wrong

test-slow: install ## the slow tests but for attacks and variants, and the numbers in prose
	$(BIN)/python -m pytest -q -m "slow or prose" --ignore tests/security --ignore tests/lessons/test_variants.py --ignore tests/lessons/test_audits.py \
	  $(PYTEST_ARGS)

test-security: install ## the security tests in full: attacks through the pipeline, generated ones among them, both starts
	KERNELS=warm $(BIN)/python -m pytest -q -m "" tests/security $(PYTEST_ARGS)
	KERNELS=cold $(BIN)/python -m pytest -q -m "" tests/security $(PYTEST_ARGS)

test-variants: install ## a hundred honest variants of the lessons' solutions, and audits of the lessons' tests: an hour or two
	$(BIN)/python -m pytest -q -m "" tests/lessons/test_variants.py tests/lessons/test_audits.py $(PYTEST_ARGS)

test-interruptions: install ## batches that are killed, locked out or out of disk must lose nothing (ARGS="--kills 200")
	PYTHONPATH=tests $(BIN)/python -m interruptions $(ARGS)

test-anywhere: install ## the kit below /tmp, behind links, in a closed home and so on: as fast as in an open folder (ARGS='--only /tmp')
	@scripts/test-anywhere $(ARGS)

test-oldest-keras: install ## numbers with the oldest supported Keras and TensorFlow, in .venv-oldest-keras: ten minutes
	@scripts/oldest keras

test-oldest-pandas: install ## values and the codec with the oldest supported pandas, numpy and scipy, in .venv-oldest-pandas
	@scripts/oldest pandas

test-otter: install ## otter-grader itself beside this kit, in .venv-otter (OTTER_PYTHON=python: there); it is downloaded once
	@[ -n "$${OTTER_PYTHON:-}" ] || [ -f .venv-otter/.installed ] || { $(BIN)/python -m venv .venv-otter \
	  && .venv-otter/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-otter.txt && touch .venv-otter/.installed; }
	OTTER_PYTHON="$${OTTER_PYTHON:-$(CURDIR)/.venv-otter/bin/python}" $(BIN)/python -m pytest -q -m "" \
	  tests/extensions/otter/test_otter_library.py tests/pipeline/test_otter_conformance.py $(PYTEST_ARGS)

test-hub: install ## JupyterHub itself beside a door, in .venv-hub (HUB_PYTHON=python: there); it is downloaded once
	@[ -n "$${HUB_PYTHON:-}" ] || [ -f .venv-hub/.installed ] || { $(BIN)/python -m venv .venv-hub \
	  && .venv-hub/bin/python -m pip install --quiet --disable-pip-version-check "jupyterhub>=6.1,<7" && touch .venv-hub/.installed; }
	HUB_PYTHON="$${HUB_PYTHON:-$(CURDIR)/.venv-hub/bin/python}" $(BIN)/python -m pytest -q -m "" \
	  tests/extensions/serve/test_real_hub.py $(PYTEST_ARGS)

test-torch: install ## everything that needs PyTorch, which is installed into .venv; `make test` runs most of it from then on
	@scripts/install-torch
	$(BIN)/python -m pytest -q -m "" tests/extensions/pytorch tests/security/test_65_pytorch_graphs.py \
	  tests/coordinator/test_templates.py tests/kernel/test_models_of_libraries.py tests/kernel/test_weight_file.py \
	  tests/extensions/training_steps/test_curves_and_optimizers.py tests/extensions/diagnosis/test_torch_diagnosis.py tests/extensions/diagnosis/test_torch_chains.py \
	  tests/codec/test_codec_infinity.py tests/lessons/test_pytorch_fully_connected.py tests/lessons/test_small_gpt.py \
	  tests/lessons/test_honest_torch.py tests/lessons/test_without_tensorflow.py $(PYTEST_ARGS)

test-all: ## every night: slow tests, attacks, variants and interruptions, one after the other: some hours
	$(MAKE) test-slow
	$(MAKE) test-security
	$(MAKE) test-variants
	$(MAKE) test-interruptions
	$(MAKE) test-anywhere
	$(MAKE) test-oldest-keras
	$(MAKE) test-oldest-pandas
	$(MAKE) test-otter
	$(MAKE) test-hub
	$(MAKE) test-torch

conformance: install ## courses of nbgrader's, released and graded here and there: CORPUS=folder [RESULTS=folder ARGS="--only ps1 --audit 2"]
	PYTHONPATH=tests $(BIN)/python -m conformance $(CORPUS) --results $(or $(RESULTS),$(CORPUS)/.conformance) $(ARGS)

demo: install ## a course with a small class, graded from end to end
	$(BIN)/autograder demo

docs: ## the docs site in site/, strictly: a dead link is an error; and the numbers in prose, where .venv is there
	@scripts/docs
	@[ ! -x $(BIN)/pytest ] || $(BIN)/python -m pytest -q -m "prose and not slow" $(PYTEST_ARGS)

lock: ## requirements.lock and requirements-docs.lock from pyproject.toml (UPGRADE=1: the newest versions)
	@scripts/lock $(if $(UPGRADE),--upgrade)

clean: ## remove .venv, caches and builds
	rm -rf .venv .venv-docs .venv-hub .venv-oldest-* site build dist .pytest_cache .mypy_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
