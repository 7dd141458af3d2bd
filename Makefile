# Every target sets itself up from a bare Python 3.11 (or newer), git and make.
# Other interpreter: make test PYTHON=/path/to/python

PYTHON ?= $(shell for python in python3.11 python3.12 python3.13 python3.14 python3; do \
  $$python -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$python; break; }; done)
BIN := .venv/bin
PEERS ?=

# The environment is made anew when what it is made from changes: pyproject.toml, or the place of this clone.
READY := .venv/ready-$(shell { pwd; cat pyproject.toml; } | cksum | tr ' ' '-')

.DEFAULT_GOAL := help
.PHONY: help demo test check bench compare-docs

help: ## show the targets
	@sed -n 's/^\([a-z-]*\):[^#]*## /  make \1\t/p' Makefile

demo: $(READY) ## train, track and compare real models, and show what came out
	@$(BIN)/python examples/demo.py

test: $(READY) ## run the tests (ARGS="..." goes to pytest)
	@$(BIN)/python -m pytest -n 2 $(ARGS)

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

$(READY):
	@test -n "$(PYTHON)" || { echo 'No Python 3.11 or newer with venv found (on Debian: apt-get install python3-venv); name one with PYTHON=...' >&2; exit 3; }
	@$(BIN)/python -c '' 2>/dev/null || $(PYTHON) -m venv --clear .venv
	@echo 'Installing into .venv ...' >&2
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@rm -f .venv/ready-*
	@touch $@
