# `make` alone lists the targets. A fresh machine needs python3 (3.11 or newer), make and git.
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
# uv finds the Pythons on the path and its own, not those of pyenv that are not chosen.
PYTHON_3_12 ?= $(firstword $(wildcard $(HOME)/.pyenv/versions/3.12.*/bin/python) 3.12)
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
UV_VERSION := 0.13.9
SIZE ?= small
CHARGES ?= 20000000
TIMES ?= 20
FAULTS := tests/end_to_end/test_killed_runs.py tests/end_to_end/test_many_kills.py tests/end_to_end/test_faults.py \
	tests/unit/sources/test_fuzz.py tests/unit/sources/test_s3_faults.py

# No tool used here sends usage statistics.
export DAGSTER_DISABLE_TELEMETRY := yes
export DO_NOT_TRACK := 1

.PHONY: help install demo dev test test-long browser servers validator lint fix bench faults soak rules opening picture lock clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(INSTALLED) ## Create the virtual environment from requirements.lock

$(INSTALLED): requirements.lock pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check "uv==$(UV_VERSION)"
	@# Precompile: where Python cannot write bytecode, as in most containers, importing dbt and Dagster from source
	@# costs every process seconds.
	@$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r requirements.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $@

demo: $(INSTALLED) ## Run the whole job on a sample company's bill and show the result
	@$(BIN)/cpc demo

dev: $(INSTALLED) ## Open the Dagster UI on http://localhost:3000
	@$(BIN)/cpc dev

test: lint browser servers validator ## Lint the code, then run every test
	@$(BIN)/pytest -n 3 --dist worksteal

test-long: lint browser servers validator ## Run every test with many more random examples, then mutate the SQL
	@CPC_TIMES_AS_MANY_EXAMPLES=$(TIMES) $(BIN)/pytest -n 2 --dist worksteal --timeout 0
	@$(BIN)/python -m tests.mutation

browser: $(INSTALLED) ## Find or install a Chromium for the report's tests
	@for name in chromium chromium-browser google-chrome; do command -v $$name >/dev/null && exit 0; done; \
	if command -v apt-get >/dev/null && test "$$(id -u)" = 0; then \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
			apt-get install -qq -y --no-install-recommends chromium fonts-dejavu-core >/dev/null && exit 0; \
	fi; \
	timeout 300 $(BIN)/playwright install chromium && exit 0; \
	echo "No browser could be installed: neither by apt-get as root nor from Playwright's downloads."; \
	echo "The tests of the report are skipped here, and fail where CI is set. Install chromium by hand."

servers: ## Find or install the Postgres and Prometheus servers of the tests
	@{ ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null; } && \
		command -v prometheus >/dev/null && command -v promtool >/dev/null && exit 0; \
	if command -v apt-get >/dev/null && test "$$(id -u)" = 0; then \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
			apt-get install -qq -y --no-install-recommends postgresql prometheus >/dev/null && exit 0; \
	fi; \
	echo "No Postgres or Prometheus could be installed. Their tests are skipped here, and fail where CI is set."

validator: ## Install the FinOps Foundation's validator of FOCUS, which needs Python 3.12
	@test -x .focus-validator/bin/focus-validator && exit 0; \
	$(BIN)/uv venv --quiet --python $(PYTHON_3_12) .focus-validator && \
		$(BIN)/uv pip install --quiet --python .focus-validator "focus-validator==2.2.1" "pyarrow<21" && exit 0; \
	echo "No focus-validator could be installed, for want of Python 3.12. Its test is skipped."

lint: $(INSTALLED) ## Check style, types, SQL format and import contracts
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/sqlfmt --check --quiet dbt_project

fix: $(INSTALLED) ## Fix what the linters can fix
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .
	@$(BIN)/sqlfmt --quiet dbt_project

faults: $(INSTALLED) ## Kill, fill, damage and fuzz, for over an hour
	@CPC_TIMES_AS_MANY_EXAMPLES=50 $(BIN)/pytest -s --timeout 0 $(FAULTS)

soak: $(INSTALLED) ## Run 90 simulated days in one workspace, an hour or two
	@$(BIN)/python -m bench.soak

bench: $(INSTALLED) ## Measure the whole job and small changes, SIZE=small, medium or large
	@$(BIN)/python -m bench --size $(SIZE) --dataframes pandas polars --json bench-$(SIZE).json

rules: $(INSTALLED) ## Measure 500 rules over CHARGES=20000000 against hand-written SQL
	@$(BIN)/python -m bench.classification --rows $(CHARGES)

opening: browser ## Measure how long a report of 5,000 customers and 13 months takes to open
	@$(BIN)/python -m bench.opening

picture: browser ## Take the pictures of the report and of Dagster from the demo's result
	@$(BIN)/python -m tests.browser.picture workspace docs/images/report.png
	@$(BIN)/python -m tests.browser.dagster_pictures workspace docs/images

lock: ## Regenerate requirements.lock from pyproject.toml
	@test -x $(BIN)/uv || { $(PYTHON) -m venv $(VENV) && $(BIN)/python -m pip install --quiet "uv==$(UV_VERSION)"; }
	@$(BIN)/uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 \
		--generate-hashes --no-header --no-emit-index-url --quiet --output-file requirements.lock

clean: ## Remove the default workspace (sample data, warehouse, published marts)
	@rm -rf workspace
