# `make demo` and `make test` are all that a newcomer needs; they set up .venv by themselves (Python 3.11 or newer).
# With uv: `uv run stockpipe demo`. On Windows, where make is rare: see README.md, "Installation".

PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	if $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then echo $$p; break; fi; done)
VENV := .venv
BIN := $(VENV)/bin
PEERS := benchmarks/.venv
RUNTIME := $(VENV)/.runtime
DEV := $(VENV)/.dev
DBT := tests/dbt/.venv
TOOLS := package container docs
SNOWFLAKE_TESTS := tests/warehouse/test_signin.py tests/warehouse/test_snowflake.py tests/warehouse/test_snowflake_session.py tests/warehouse/test_snowflake_refusals.py tests/warehouse/test_warehouses.py tests/models/test_views.py

.PHONY: help demo test test-slow test-master test-chaos test-dbt test-connectors test-airflow test-dagster test-prefect test-workflows test-package test-container docs picture lint types check bench mutants requirements clean

demo: $(RUNTIME)  ## load a day of the sandbox into stockpipe-demo.duckdb
	$(BIN)/stockpipe demo --duckdb-path stockpipe-demo.duckdb
	$(BIN)/stockpipe query --warehouse duckdb --duckdb-path stockpipe-demo.duckdb \
		"SELECT TYPE, count(*) AS TICKERS FROM TICKERS_LATEST WHERE MARKET = 'stocks' AND ACTIVE GROUP BY TYPE ORDER BY 2 DESC"

help:  ## this list
	@sed -n 's/^\([a-z][a-z -]*\):.*  ## /\1: /p' $(MAKEFILE_LIST)

test: $(DEV)  ## the tests; those that take seconds each have a target of their own
	$(BIN)/python -m pytest -q -n auto

test-slow: $(DEV)  ## the tests that take seconds each
	$(BIN)/python -m pytest -q -n auto --maxschedchunk=1 -m slow

test-chaos: $(DEV)  ## kills and random faults; some minutes
	$(BIN)/python -m pytest -q -n auto --maxschedchunk=1 tests/chaos -o addopts="--strict-markers -ra"

test-master: $(DEV)  ## the rules of the security master against hidden identities: precision and recall for each kind of event
	$(BIN)/python tests/support/judge.py $(ARGS)

test-dbt: $(DEV) $(DBT)/.ready  ## sources.yml in the hands of dbt, in an environment of its own
	$(BIN)/python -m pytest -q -n auto tests/dbt -o addopts="--strict-markers -ra"

test-connectors: test-connector-oldest test-connector-newest  ## the Snowflake tests with other versions of the connector

# fakesnow runs beside connector 4 only: the stand-in is served from .venv.
test-connector-%: tests/connectors/.venv-%/.ready $(DEV)
	GATE_PYTHON=$(CURDIR)/$(BIN)/python $(<D)/bin/python -m pytest -q -n auto --maxschedchunk=1 -m "slow or not slow" -k "not duckdb" $(SNOWFLAKE_TESTS)

lint: $(DEV)  ## ruff: rules and format; import-linter: arrows between the rooms
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache

types: $(DEV)  ## mypy, strict
	$(BIN)/mypy

check: test lint types test-slow test-chaos test-dbt test-connectors test-airflow test-dagster test-prefect test-workflows test-package test-container docs  ## what CI runs

bench: $(DEV) $(PEERS)/.peers  ## benchmarks against the peers; ARGS=--quick for a first look
	$(BIN)/python benchmarks/run.py $(ARGS)

mutants: $(DEV)  ## small faults in the code that the tests should notice; ARGS="--room checks" for one room, minutes each
	$(BIN)/python tests/mutants.py $(ARGS)

# Real orchestrators, each in an environment of its own (225 to 360 MB).
test-airflow test-dagster test-prefect: test-%: integrations/%/.venv/.ready  ## run its example against the sandbox
	integrations/$*/.venv/bin/python integrations/check.py $*

test-workflows: integrations/github-actions/.venv/.ready  ## the GitHub workflows against their schema
	$(<D)/bin/check-jsonschema --builtin-schema vendor.github-workflows \
		.github/workflows/*.yml integrations/github-actions/*.yml

test-package: tools/.venv-package/.ready  ## wheel and sdist: built, looked into, and tried in an empty environment
	$(<D)/bin/python tools/check_package.py

test-container: tools/.venv-container/.ready  ## the container file against the rules of hadolint; no builder is needed
	$(<D)/bin/hadolint Dockerfile

docs: tools/.venv-docs/.ready $(RUNTIME)  ## the documentation as a site, in site/; a broken link fails
	$(BIN)/python tools/stage_docs.py
	$(<D)/bin/zensical build --strict --clean

picture: $(RUNTIME)  ## the report in a browser: docs/report.png anew; needs Chromium; ARGS="--axe axe.min.js" checks it too
	$(BIN)/python tools/report_picture.py $(ARGS)

requirements:  ## renew uv.lock's exports; needs uv
	uv export -q --frozen --no-emit-project --extra all --no-dev --no-header -o requirements.txt
	uv export -q --frozen --no-emit-project --extra all --group dev --no-header -o requirements-dev.txt
	for tool in airflow dagster prefect; do uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-annotate \
		--no-header integrations/$$tool/requirements.in pyproject.toml -o integrations/$$tool/requirements.txt; done
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
		integrations/github-actions/requirements.in -o integrations/github-actions/requirements.txt
	for tool in $(TOOLS); do uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
		tools/$$tool.in -o tools/$$tool.txt; done

clean:
	rm -rf $(VENV) $(PEERS) $(DBT) tests/connectors/.venv-* integrations/*/.venv tools/.venv-* dist build site .pytest_cache .mypy_cache .ruff_cache

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed; none was found on the PATH." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

# A .venv made by uv has no pip.
$(VENV)/.pip: | $(BIN)/python
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip >/dev/null
	@touch $@

$(RUNTIME): requirements.txt pyproject.toml | $(VENV)/.pip
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $@

$(DEV): requirements-dev.txt $(RUNTIME)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

# What we are measured against has an environment of its own: it never becomes a dependency.
$(PEERS)/.peers: benchmarks/peers/requirements.txt | $(BIN)/python
	$(BIN)/python -m venv $(PEERS)
	$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	@touch $@

integrations/%/.venv/.ready: integrations/%/requirements.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed; none was found on the PATH." >&2; exit 1; }
	$(PYTHON) -m venv --clear $(@D)
	$(@D)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	$(@D)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $@

# Tools that build and check, and that stockpipe itself does not need: tools/NAME.in, pinned in tools/NAME.txt.
tools/.venv-%/.ready: tools/%.txt
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed; none was found on the PATH." >&2; exit 1; }
	$(PYTHON) -m venv --clear $(@D)
	$(@D)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

.PRECIOUS: tests/connectors/.venv-%/.ready integrations/%/.venv/.ready tools/.venv-%/.ready
tests/connectors/.venv-%/.ready: tests/connectors/%.txt pyproject.toml | $(BIN)/python
	$(BIN)/python -m venv --clear $(@D)
	$(@D)/bin/python -m pip install --quiet --disable-pip-version-check -e . -r $<
	@touch $@

$(DBT)/.ready: tests/dbt/requirements.txt | $(BIN)/python
	$(BIN)/python -m venv $(DBT)
	$(DBT)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps -r tests/dbt/requirements.txt
	@touch $@
