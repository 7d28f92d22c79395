# Everything starts here: `make demo` for a look, `make test` for the tests. Only Python 3.11+ is needed.
#
# Another interpreter:   make demo PYTHON=python3.13
# Arguments for pytest:  make test ARGS="tests/core -k pricing"
# Lines no test has run: make test COVERAGE=1
# One benchmark:         make bench ARGS="overhead"
# An hour of kills:      make soak ARGS="--minutes 60"

PYTHON ?= python3
VENV ?= .venv
ARGS ?=

BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet

.DEFAULT_GOAL := help
.PHONY: help demo web-demo test kills browser soak lint types bench clean

help:
	@echo "make demo      make a dozen videos against the emulator, into demo-videos/"
	@echo "make web-demo  a web page that makes videos, against the emulator, at http://127.0.0.1:8000"
	@echo "make test      run every test that needs no extra server"
	@echo "make kills     kill batches at hundreds of moments, and see that each is finished and paid once"
	@echo "make browser   the web examples in a headless Chromium, and as processes that are stopped and killed"
	@echo "make soak      the same for ten minutes, or as long as one likes"
	@echo "make lint      ruff: rules and format"
	@echo "make types     mypy --strict and pyright strict"
	@echo "make bench     run the benchmarks and print their tables"
	@echo "make clean     remove what the others have made"

demo: $(VENV)/.installed
	$(BIN)/seedance demo -o demo-videos $(ARGS)

web-demo: $(VENV)/.installed
	$(BIN)/python -m examples.aiohttp_app --demo $(ARGS)

# Coverage starts before pytest, because pytest's plugins import the package. A file's tests stay in one process.
test: $(VENV)/.developer
	$(BIN)/$(if $(COVERAGE),coverage run,python) -m pytest -n logical --dist loadfile $(ARGS)
	$(if $(COVERAGE),$(BIN)/coverage combine --quiet && $(BIN)/coverage report --skip-covered)

kills: $(VENV)/.developer
	$(BIN)/python -m pytest -m kills tests/kills $(ARGS)

browser: $(VENV)/.developer
	$(BIN)/python -m pytest -m browser tests/browser $(ARGS)

soak: $(VENV)/.developer
	$(BIN)/python -m tests.kills $(ARGS)

lint: $(VENV)/.developer
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.developer
	$(BIN)/mypy
	$(BIN)/pyright

bench: $(VENV)/.benchmarks
	$(BIN)/python -m benchmarks $(ARGS)

clean:
	rm -rf $(VENV) build dist demo-videos .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Two stamps: who only wants to see the demo does not download type checkers.
# An environment whose interpreter no longer runs, or is too old, is made anew.
$(VENV)/.installed: pyproject.toml
	@command -v "$(PYTHON)" > /dev/null || { \
	  echo "No '$(PYTHON)' was found. Install Python 3.11 or newer, or name one: make demo PYTHON=/path/to/python3" >&2; exit 2; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2> /dev/null || { \
	  echo "Python 3.11 or newer is needed, and '$(PYTHON)' answers: $$("$(PYTHON)" --version 2>&1 | head -n 1)." \
	       "Name a newer one: make demo PYTHON=python3.13" >&2; exit 2; }
	@"$(PYTHON)" -c 'import ensurepip, venv' 2> /dev/null || { \
	  echo "'$(PYTHON)' cannot make virtual environments. On Debian and Ubuntu: apt install python3-venv" >&2; exit 2; }
	@if "$(BIN)/python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2> /dev/null; then :; else \
	  echo "Making $(VENV) with $$("$(PYTHON)" --version)"; "$(PYTHON)" -m venv --clear "$(VENV)"; fi
	@echo "Installing into $(VENV)"
	@$(PIP) --upgrade pip || echo "pip could not be upgraded; going on with the one that is there"
	@$(PIP) --editable '.[cli,emulator,otel]'
	@touch $@

$(VENV)/.developer: $(VENV)/.installed
	@echo "Installing the tools for development"
	@$(PIP) --group dev
	@touch $@

$(VENV)/.benchmarks: $(VENV)/.installed
	@echo "Installing what the benchmarks compare with"
	@$(PIP) --group bench
	@touch $@
