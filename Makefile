# Every command of a developer. `make help` lists them.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
# Wants another typer than ours, so it has an environment of its own.
SDK_TOOL := .venv/sdk-tool

.DEFAULT_GOAL := help
.PHONY: help setup up test lint format types verify check css sdk lock clean

help: ## Show this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Wizamart needs Python 3.11 or newer: make PYTHON=/path/to/python3.11 …"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --no-index -e .
	$(BIN)/python -m compileall -q app
	@touch $@

setup: $(STAMP) ## Make the environment in .venv from requirements.lock

up: setup ## Run the whole platform with demo data; Ctrl-C stops it
	@exec $(BIN)/wizamart up --demo $(if $(PORT),--port $(PORT)) $(if $(DATA),--data $(DATA))

test: setup chromium $(SDK_TOOL)/.installed ## Run the whole test suite in parallel
	$(BIN)/pytest -n auto --dist loadgroup --no-loadscope-reorder $(ARGS)

lint: setup ## Check style, formatting and import borders
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/python -m app.ui.build --check

format: setup ## Format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: setup ## Check the types
	$(BIN)/mypy

verify: setup ## Check the rules that hold the modules apart
	$(BIN)/wizamart modules verify

check: lint types verify test ## All of the above, as CI does

css: setup ## Compile the stylesheet
	$(BIN)/python -m app.ui.build

$(SDK_TOOL)/.installed: requirements-sdk.lock | $(STAMP)
	$(BIN)/python -m venv --clear $(SDK_TOOL)
	$(SDK_TOOL)/bin/python -m pip install --quiet --require-hashes -r requirements-sdk.lock
	@touch $@

sdk: setup $(SDK_TOOL)/.installed ## Build a Python client of the API in build/sdk/python
	PATH="$(CURDIR)/$(SDK_TOOL)/bin:$$PATH" openapi-python-client generate --path docs/api/openapi.json \
	  --output-path build/sdk/python --meta uv --overwrite --fail-on-warning

lock: setup ## Pin the newest versions that fit pyproject.toml
	$(BIN)/uv pip compile --quiet --upgrade --generate-hashes --no-header --universal --python-version 3.11 \
	  pyproject.toml --all-extras --group dev --output-file requirements.lock
	echo openapi-python-client | $(BIN)/uv pip compile --quiet --upgrade --generate-hashes --no-header --universal \
	  --python-version 3.11 - --output-file requirements-sdk.lock

.PHONY: chromium
chromium:
	@command -v chromium-headless-shell >/dev/null || { [ "$$(id -u)" != 0 ] && command -v chromium >/dev/null; } || { \
	  if [ "$$(id -u)" = 0 ]; then apt-get update -qq || true; \
	    apt-get install -y -qq --no-install-recommends chromium-headless-shell >/dev/null || command -v chromium >/dev/null \
	      || apt-get install -y -qq --no-install-recommends chromium >/dev/null; \
	  else echo "The browser tests need Chromium. Run: sudo apt-get install -y chromium-headless-shell"; exit 1; fi; }

clean: ## Remove the environment and the data of the embedded servers
	rm -rf .venv .wizamart build
