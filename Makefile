# Every target needs only Python >= 3.11, make and a package index (pip's own configuration says which).
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
# pip's chatter would bury what the target is for; its errors still show.
PIP    := $(BIN)/python -m pip --quiet --disable-pip-version-check

.PHONY: demo test quick explore check lint types docs safety serve bench lock clean help
.DEFAULT_GOAL := help

help:           ## this list
	@grep -E '^[a-z]+: .*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "make %-8s %s\n", $$1, $$2}'

demo: $(VENV)/.installed            ## translate messages between all three kinds of system, offline
	@$(BIN)/ost-adapter demo

test: $(VENV)/.installed-test       ## the whole suite
	$(BIN)/python -m pytest -n 2 --dist worksteal

quick: $(VENV)/.installed-test      ## the suite without what builds, installs or starts a server
	$(BIN)/python -m pytest -m "not slow"

explore: $(VENV)/.installed-test    ## the properties, with examples that no run before had
	HYPOTHESIS_PROFILE=explore $(BIN)/python -m pytest -n 2 $$(grep -rl "from hypothesis" tests --include="test_*.py")

check: lint types test              ## lint, types, tests: what a change must pass

lint: $(VENV)/.installed-test       ## ruff
	$(BIN)/ruff check .

types: $(VENV)/.installed-test      ## mypy --strict
	$(BIN)/mypy

docs: $(VENV)/.installed-test       ## the mapping reference in docs/maps/, anew from the maps
	mkdir -p docs/maps
	$(BIN)/ost-adapter maps docs -o docs/maps

safety: $(VENV)/.installed          ## the hazard log in docs/, anew from adapter/care/hazards.yaml
	$(BIN)/python -m adapter.care.hazards -o docs

serve: $(VENV)/.installed           ## the HTTP server on 127.0.0.1:8080
	$(BIN)/ost-adapter serve

bench: $(VENV)/.installed-test      ## the benchmark, with its peers where they can be installed
	$(BIN)/python -m tests.bench

lock:           ## requirements.lock anew, for every Python and platform that pyproject.toml allows
	$(PYTHON) -m venv $(VENV)-lock
	$(VENV)-lock/bin/python -m pip --quiet install "uv>=0.13"
	$(VENV)-lock/bin/uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 --upgrade --no-annotate \
	    --custom-compile-command "make lock" -o requirements.lock
	rm -rf $(VENV)-lock

clean:          ## what the targets above made
	rm -rf $(VENV) $(VENV)-lock dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit("ost-adapter needs Python 3.11 or later; PYTHON=... names one" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)

# Editable, so that the checkout is what runs; exact versions by the lock.
$(VENV)/.installed: pyproject.toml requirements.lock | $(BIN)/python
	$(PIP) install -c requirements.lock -e .
	@touch $@

$(VENV)/.installed-test: pyproject.toml requirements.lock | $(BIN)/python
	$(PIP) install -c requirements.lock -e '.[test]'
	@touch $@ $(VENV)/.installed
