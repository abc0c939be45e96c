# Two commands do everything: `make book` and `make test`. `make help` lists the others.
# They need Python 3.11 or newer and make; all else is installed into .venv, Node included.

PYTHON ?= python3
VENV ?= .venv
PORT ?= 8000
BIN := $(VENV)/bin
PY := $(BIN)/python

SHELL := /bin/bash
MAKEFLAGS += --no-print-directory --no-builtin-rules
.DELETE_ON_ERROR:
.NOTPARALLEL:
.DEFAULT_GOAL := help

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PYTHONUNBUFFERED := 1
# Everything below runs in .venv: packages of the user's home or another environment's settings have no part in it.
export PYTHONNOUSERSITE := 1
unexport PYTHONHOME PYTHONPATH

.PHONY: help
help:
	@echo "make book    set everything up, execute the chapters, write the pages to _build/html"
	@echo "make serve   show the pages on http://127.0.0.1:$(PORT)/ (PORT=… for another port)"
	@echo "make test    every test there is, in the same environment"
	@echo "make lint    the checks of form alone: ruff, mypy, codespell, the notebooks, the front end's types"
	@echo "make format  bring Python files and notebooks into their canonical form"
	@echo "make lock    write requirements.txt anew from pyproject.toml (UPGRADE=1 takes newer releases)"
	@echo "make data    fetch the data sets into the cache"
	@echo "make models  write data/models.json anew, the table of published configurations"
	@echo "make bench   measure speed beside the peers, about five minutes, and write data/results/bench.json anew"
	@echo "make bench-pages  measure the explorables in the built pages, and write data/results/pages.json anew"
	@echo "make compare  measure the comparison and the scaling curves, hours; stopped, it goes on when called again"
	@echo "make compare-quick  the reduced comparison, a few minutes, held against the committed one"
	@echo "make costs   how long each chapter ran, and how much memory it took"
	@echo "make clean   remove what was built; .venv, the fetched data and Node's packages stay"
	@echo
	@echo "PYTHON names the Python that .venv is made with ($(PYTHON)), DLCOMPARE_JOBS how many chapters are"
	@echo "executed at once, DLCOMPARE_DATA the folder for fetched data, CHROMIUM the browser for the tests."

# --- the environment -------------------------------------------------------------------------------------------

# A broken link counts as missing: when the Python that .venv was made with is gone, .venv is made anew.
$(PY):
	@command -v "$(PYTHON)" >/dev/null || { echo "make: there is no '$(PYTHON)': install Python 3.11 or newer, or name one with PYTHON=…" >&2; exit 1; }
	@"$(PYTHON)" tools/check_python.py
	@echo "Creating $(VENV) …"
	@"$(PYTHON)" -m venv --clear "$(VENV)"

# Both stamps stand for what was installed: a repeated run costs nothing, a changed lock installs.
$(VENV)/.lock-installed: requirements.txt | $(PY)
	@echo "Installing the lock's packages; the first time this downloads several hundred megabytes …"
	@"$(PY)" -m pip install --requirement requirements.txt
	@touch "$@"

$(VENV)/.package-installed: pyproject.toml $(VENV)/.lock-installed
	@echo "Installing the package …"
	@"$(PY)" -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch "$@"

# The front end's own build knows what is out of date, and says nothing when nothing is.
.PHONY: setup
setup: $(VENV)/.package-installed
	@"$(PY)" js/hatch_build.py build

.PHONY: data
data: setup
	@"$(BIN)/dlcompare" data fetch --all

# --- the book --------------------------------------------------------------------------------------------------

.PHONY: book
book: data
	@"$(PY)" -m tools.build_book
	@echo "To read it: make serve, then open http://127.0.0.1:$(PORT)/"

.PHONY: serve
serve:
	@test -f _build/html/index.html || { echo "make: there is no book in _build/html yet: run make book" >&2; exit 1; }
	@echo "The book is at http://127.0.0.1:$(PORT)/ (Ctrl-C ends)"
	@exec "$(PY)" -m http.server "$(PORT)" --bind 127.0.0.1 --directory _build/html

.PHONY: costs
costs: setup
	@"$(PY)" -m tools.costs

# --- tests -----------------------------------------------------------------------------------------------------

.PHONY: test
test: book
	@exec "$(PY)" -m tools.run_tests

.PHONY: lint
lint: setup
	@exec "$(PY)" -m tools.run_tests form

.PHONY: format
format: setup
	@"$(BIN)/ruff" check --fix --quiet --exit-zero
	@"$(BIN)/ruff" format
	@"$(PY)" -m tools.format_notebooks

# --- upkeep ----------------------------------------------------------------------------------------------------

.PHONY: lock
lock: setup
	@"$(PY)" -m tools.lock $(if $(UPGRADE),--upgrade)

.PHONY: models
models: setup
	@"$(PY)" -m tools.models_table

# Times are worth something only where nothing else runs meanwhile.
.PHONY: bench
bench: setup
	@"$(PY)" -m benchmarks.run

.PHONY: bench-pages
bench-pages: book
	@"$(PY)" -m benchmarks.pages

# JOBS models are trained at once, each with one thread; what has finished stands in the file, and is not run again.
JOBS ?= 2

.PHONY: compare
compare: data
	@"$(BIN)/dlcompare" data fetch smollm2
	@"$(BIN)/dlcompare" compare --processes $(JOBS) --out data/results/comparison.jsonl
	@"$(BIN)/dlcompare" compare --scaling --processes $(JOBS) --out data/results/scaling.jsonl

.PHONY: compare-quick
compare-quick: data
	@rm -f _build/comparison-quick.jsonl
	@"$(BIN)/dlcompare" compare --quick --processes $(JOBS) --out _build/comparison-quick.jsonl \
	  $(if $(wildcard data/results/comparison-quick.jsonl),--against data/results/comparison-quick.jsonl)

.PHONY: clean
clean:
	rm -rf _build .pytest_cache .mypy_cache .ruff_cache .hypothesis src/dlcompare/widgets/static
	find . \( -path "./$(VENV)" -o -path ./js/node_modules -o -path ./.git \) -prune -o -name __pycache__ -type d -exec rm -rf {} +
