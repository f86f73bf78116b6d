# `make` lists what there is.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUN := OMP_NUM_THREADS=$${OMP_NUM_THREADS:-$$(nproc)} HF_HUB_DISABLE_TELEMETRY=1 GRADIO_ANALYTICS_ENABLED=False $(BIN)/python
INSTALL := $(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt
WORKERS ?= 2
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder
LIBRARY ?= libraries/starter
PORT ?= 7860
NANO ?=

.PHONY: help studio demo test test-js coverage check bench nano clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1|\2/' | column -t -s '|'

$(VENV)/.ready: requirements.txt constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(INSTALL) -r requirements.txt
	@touch $@

$(VENV)/.ready-dev: $(VENV)/.ready requirements-dev.txt
	$(INSTALL) -r requirements-dev.txt
	@touch $@

studio: $(VENV)/.ready ## set up and start the app: embedded model, starter set (http://127.0.0.1:7860)
	BACKLOT_LIBRARY=$(LIBRARY) GRADIO_SERVER_PORT=$(PORT) $(RUN) app.py

demo: $(VENV)/.ready ## the whole loop without a browser on the starter set, into runs/demo
	rm -rf runs/demo
	$(RUN) -m pipeline import starter --library runs/demo/library --split train
	$(RUN) -m pipeline import starter:field --library runs/demo/library --split test
	$(RUN) -m pipeline generate --library runs/demo/library --recipe recipes/surfaces.yaml --count 120
	$(RUN) -m pipeline gate --library runs/demo/library
	$(RUN) -m pipeline publish --library runs/demo/library --to runs/demo/release
	$(RUN) -m training study --dataset runs/demo/release --network probe --seeds 10 --out runs/demo/study
	@echo "library runs/demo/library · release runs/demo/release · report runs/demo/study/report.html"

test: $(VENV)/.ready-dev test-js ## set up and run the whole test suite (WORKERS=2 processes)
	$(PYTEST)

coverage: $(VENV)/.ready-dev ## the test suite with its coverage, which must not fall below the floor in pyproject.toml
	$(PYTEST) --cov --cov-report=term:skip-covered

test-js: ## the tests of the page's scripts alone (needs node)
	@if command -v node >/dev/null; then node --test tests/js/*.test.mjs; \
	else echo "node is not installed: the tests of the page's scripts (tests/js) are left out"; fi

check: $(VENV)/.ready-dev ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/.ready-dev ## time, memory and scale: one JSON line each
	$(RUN) -m benchmarks

nano: $(VENV)/.ready ## train the embedded model from nothing, about 3 hours on 2 cores with bfloat16 (NANO=--no-photographs without ../shared)
	$(RUN) -m training.nano all $(NANO)

clean: ## remove the environment and what the tests wrote
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage
