# Every target sets itself up from a bare Python 3.11 (or newer), git and make.
# Other interpreter: make test PYTHON=/path/to/python

PYTHON ?= $(shell for python in python3.11 python3.12 python3.13 python3.14 python3; do \
  $$python -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$python; break; }; done)
BIN := .venv/bin
PEERS ?=
TORCH ?= torch==2.13.0
TORCH_TESTS := accelerate lightning transformers hypothesis pytest scikit-learn

# The environment is made anew when what it is made from changes: pyproject.toml, or the place of this clone.
READY := .venv/ready-$(shell { pwd; cat pyproject.toml; } | cksum | tr ' ' '-')

.DEFAULT_GOAL := help
.PHONY: help demo test check bench compare-docs evals validate-skill test-torch

help: ## show the targets
	@sed -n 's/^\([a-z-]*\):[^#]*## /  make \1\t/p' Makefile

demo: $(READY) ## train, track and compare real models, and show what came out
	@$(BIN)/python examples/demo.py

test: $(READY) ## run the tests (ARGS="..." goes to pytest)
	@$(BIN)/python -m pytest -n 2 --dist loadfile $(ARGS)

test-torch: ## run the tests that need PyTorch, in .venv-torch (the first time installs about 2 GB)
	@test -n "$(PYTHON)" || { echo 'No Python 3.11 or newer with venv found; name one with PYTHON=...' >&2; exit 3; }
	@.venv-torch/bin/python -c 'import accelerate, lightning, pytest, torch, transformers' 2>/dev/null || { \
	  echo 'Installing into .venv-torch ...' >&2; $(PYTHON) -m venv --clear .venv-torch && \
	  .venv-torch/bin/python -m pip install --quiet --disable-pip-version-check --editable . $(TORCH) $(TORCH_TESTS) || \
	  { echo 'PyTorch does not install here, so these tests were not run.' >&2; exit 3; }; }
	@HF_HUB_OFFLINE=1 .venv-torch/bin/python -m pytest -m torch $$(grep -rl "mark\.torch" tests --include="*.py") $(ARGS)

check: $(READY) ## lint, format, types, layers, house rules
	@$(BIN)/python -m ruff check
	@$(BIN)/python -m ruff format --check
	@$(BIN)/python -m mypy
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/python -m pytest -q tests/lexical

bench: $(READY) ## compare with the floor, and with PEERS="mlflow trackio wandb" if given
	@$(BIN)/python -m benchmarks $(if $(PEERS),--peers $(PEERS))

compare-docs: $(READY) ## run the living docs cases against other tools (about 5 minutes)
	@$(BIN)/python -m benchmarks.compare_docs

evals: $(READY) ## replay the tasks for agents with their scripted solutions (AGENT="claude -p" lets an agent try)
	@$(BIN)/python evals/run.py $(if $(AGENT),--agent '$(AGENT)',--reference)

validate-skill: $(READY) ## check the skill and its plugins with five validators (the first time installs about 1 GB)
	@$(BIN)/python -m pytest -q -m "" tests/integration/test_skill_validators.py $(ARGS)

$(READY):
	@test -n "$(PYTHON)" || { echo 'No Python 3.11 or newer with venv found (on Debian: apt-get install python3-venv); name one with PYTHON=...' >&2; exit 3; }
	@$(BIN)/python -c '' 2>/dev/null || $(PYTHON) -m venv --clear .venv
	@echo 'Installing into .venv ...' >&2
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@rm -f .venv/ready-*
	@touch $@
