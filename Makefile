# The two commands: `make nightly` and `make test`. Everything else is a part of them or a convenience.
# Telemetry of every dependency is off; nothing here talks to anything but the package registry that pip is set to.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
SPARK_VENV := .venv-spark
SPARK_STAMP := $(SPARK_VENV)/.installed
BENCH_VENV := .venv-bench
BENCH_STAMP := $(BENCH_VENV)/.installed
export QUORUM_HOME ?= $(CURDIR)/var
export DO_NOT_TRACK := 1
export DAGSTER_DISABLE_TELEMETRY := 1
export GX_ANALYTICS_ENABLED := false
export PIP_DISABLE_PIP_VERSION_CHECK := 1

LANDING ?= data/sample/landing
FROM ?= 2026-11-15
TO ?= 2026-11-21

.PHONY: help setup spark-setup nightly test test-delivery test-office test-spark test-fast test-browser check ui lock docs thirty-nights bench bench-limit bench-peers bench-utility bench-speed browser-test screenshots clean

help: ## what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: $(STAMP) ## make .venv with quorum in it

# --no-deps: the lock names every package, and pip need not resolve anything; `pip check` then proves that it is whole.
$(STAMP): requirements-dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || { echo "setup needs Python 3.11 (make PYTHON=...)" >&2; exit 10; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --no-deps --require-hashes -r requirements-dev.lock
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	$(BIN)/pip check
	@touch $(STAMP)

spark-setup: $(SPARK_STAMP) ## make .venv-spark with Spark in it, for --engine spark (needs Java 17)

# An environment of its own: beside Spark, Great Expectations may end the process without a word.
$(SPARK_STAMP): requirements-spark.lock
	@command -v java >/dev/null || { echo "spark-setup needs Java 17" >&2; exit 10; }
	test -x $(SPARK_VENV)/bin/python || $(PYTHON) -m venv $(SPARK_VENV)
	$(SPARK_VENV)/bin/pip install --quiet --no-deps --require-hashes -r requirements-spark.lock
	@touch $(SPARK_STAMP)

nightly: $(STAMP) ## run the nights of data/sample in order and say what they did
	$(BIN)/quorum backfill --from $(FROM) --to $(TO) --landing $(LANDING) --home $(QUORUM_HOME)

test: $(STAMP) ## every test but those of Spark (test-spark), an SSH server (test-delivery), LibreOffice (test-office)
	$(BIN)/pytest -n auto --dist loadfile -m "not spark and not openssh and not office"

test-spark: $(STAMP) $(SPARK_STAMP) ## every statement, and a whole night, on Spark (needs Java 17)
	$(BIN)/pytest -m spark

test-delivery: $(STAMP) ## delivery to OpenSSH's own server; fails where there is no sshd
	$(BIN)/pytest tests/openssh

test-office: $(STAMP) ## open workbook and csv in LibreOffice (needs its Calc; Debian: libreoffice-calc-nogui)
	$(BIN)/pytest -m office

test-fast: $(STAMP) ## the tests that take seconds
	$(BIN)/pytest -m "not slow and not spark and not openssh and not office"

test-browser: $(STAMP) ## what an analyst does in the browser, with Chromium; screenshots in var/browser
	$(BIN)/python tests/browser/check_ui.py var/browser

check: $(STAMP) ## format, lint, types, import law, SQL, lock, policy
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/sqlfluff lint --disable-progress-bar sql
	$(BIN)/pytest tests/contract
	$(BIN)/quorum policy check

ui: $(STAMP) ## Dagster on http://127.0.0.1:3000
	mkdir -p $(QUORUM_HOME)/dagster && cp dagster.yaml $(QUORUM_HOME)/dagster/dagster.yaml
	DAGSTER_HOME=$(QUORUM_HOME)/dagster QUORUM_LANDING=$${QUORUM_LANDING:-$(CURDIR)/$(LANDING)} \
		$(BIN)/dagster dev -h 127.0.0.1 -p 3000 -m pipelines.definitions

lock: ## resolve the locks anew (needs uv); hashes, no addresses
	for extra in "" "--extra=dev"; do \
		uv pip compile pyproject.toml $$extra --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
			--no-header --no-annotate --quiet -o requirements$${extra:+-dev}.lock; done
	uv pip compile requirements-spark.in --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-header --no-annotate --quiet -o requirements-spark.lock
	uv pip compile bench/requirements.in --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-header --no-annotate --quiet -o requirements-bench.lock

docs: $(STAMP) ## write the generated pages of docs/ again
	$(BIN)/python -m quorum.tables.dictionary docs/data_dictionary.md
	$(BIN)/python -m pipelines.reference docs/cli.md

BENCH ?= var/bench
WEEK := 2026-11-16 2026-11-17 2026-11-18 2026-11-19 2026-11-20 2026-11-21 2026-11-22

$(BENCH)/warehouse:
	$(BIN)/python -m bench.night $(BENCH)

thirty-nights: $(STAMP) ## thirty nights with random faults, three seeds (half an hour)
	PYTHONPATH=. $(BIN)/python tests/integration/thirty_nights.py

BENCH_SIZES ?= 1000000 3000000 10000000
BENCH_LARGEST = $(lastword $(BENCH_SIZES))
BENCH_NIGHTS ?= 3
BENCH_RUNS ?= 5

# An environment of its own: none of what Quorum is compared with is a part of Quorum.
$(BENCH_STAMP): requirements-bench.lock
	test -x $(BENCH_VENV)/bin/python || $(PYTHON) -m venv $(BENCH_VENV)
	$(BENCH_VENV)/bin/pip install --quiet --no-deps --require-hashes -r requirements-bench.lock
	$(BENCH_VENV)/bin/pip check
	@touch $(BENCH_STAMP)

bench: bench-limit bench-peers ## measure nights and what people would use instead, into docs/benchmarks.md (an hour or two)

bench-limit: $(STAMP) ## nights of BENCH_SIZES events beside one bare DuckDB pass (needs GNU time)
	$(BIN)/python -m bench.limit var/nights --events $(BENCH_SIZES) --runs $(BENCH_NIGHTS)

bench-peers: $(STAMP) $(BENCH_STAMP) ## GoAccess, Matomo, pandas, Polars, chDB, pycanon on the largest of these nights
	$(BIN)/python -m bench.peers var/nights --events $(BENCH_LARGEST) --runs $(BENCH_RUNS)

bench-utility: $(STAMP) $(BENCH)/warehouse ## measure what a large portal's reports tell, into docs/benchmarks.md
	$(BIN)/python -m bench.frontier $(BENCH)

bench-speed: $(STAMP) $(BENCH)/warehouse ## time control and door of a large portal's week
	/usr/bin/time -v $(BIN)/python -m bench.speed $(BENCH) $(WEEK) --fresh

browser-test: $(STAMP) ## pages in headless chromium: accessibility, width, print (fails where chromium is missing)
	$(BIN)/pytest tests/browser/pages_in_browser.py

PORTAL ?= var/portal

$(PORTAL)/home:
	$(BIN)/quorum sample $(PORTAL)/landing --date 2026-11-21 --days 2 --members 100000 --events 1000000 \
		--campaigns 40 --recipients 9 --ctr 0.02 --seed 11
	$(BIN)/quorum backfill --from 2026-11-20 --to 2026-11-21 --landing $(PORTAL)/landing --home $(PORTAL)/home

screenshots: $(STAMP) $(PORTAL)/home ## pictures of the pages of a generated portal, into docs/ (needs chromium)
	$(BIN)/python -m bench.screenshots $(PORTAL)/home docs

clean: ## remove what a run leaves behind (not the key)
	rm -rf var .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
