# Two commands: `make demo` shows the canary finding a fault; `make test` proves that it works.
# Everything is built in .venv from nothing but Python 3.11+ and pip.

PYTHON ?= python3
VENV ?= .venv
ENGINE_DIR := $(or $(CANARY_ENGINE_DIR),../shared/engine)
BIN := $(VENV)/bin
RUN_STAMP := $(VENV)/.run
DEV_STAMP := $(VENV)/.dev
UV := $(VENV)/bin/uv
PYTEST_ARGS ?=

export UV_PYTHON := $(CURDIR)/$(BIN)/python

.PHONY: demo test lint type bench lock clean format

demo: $(RUN_STAMP)
	$(BIN)/canary demo

test: $(DEV_STAMP)
	$(BIN)/pytest $(PYTEST_ARGS)

lint: $(DEV_STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports

type: $(DEV_STAMP)
	$(BIN)/mypy

bench: $(DEV_STAMP)
	$(BIN)/python -m tests.bench

format: $(DEV_STAMP)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# The locks hold versions and hashes for every supported Python and platform.
lock: $(UV)
	$(UV) pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	  --extra postgres pyproject.toml -o deploy/requirements.lock
	$(UV) pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	  --extra grafana --extra postgres --group dev pyproject.toml -o deploy/requirements-dev.lock
	$(UV) pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	  --group engine --no-deps -o deploy/requirements-engine.lock

clean:
	rm -rf $(VENV) build dist

$(UV):
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Canary needs Python 3.11 or later: make PYTHON=python3.11 ...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --disable-pip-version-check "uv>=0.9"

$(RUN_STAMP): $(UV) pyproject.toml deploy/requirements.lock
	$(UV) pip install -q --compile-bytecode --require-hashes -r deploy/requirements.lock
	$(UV) pip install -q --no-deps -e .
	@touch $@

$(DEV_STAMP): $(UV) pyproject.toml deploy/requirements-dev.lock deploy/requirements-engine.lock
	$(UV) pip install -q --compile-bytecode --require-hashes -r deploy/requirements-dev.lock
	if [ -d "$(ENGINE_DIR)" ]; then $(UV) pip install -q --require-hashes --no-deps -r deploy/requirements-engine.lock; fi
	$(UV) pip install -q --no-deps -e .
	@touch $@ $(RUN_STAMP)
