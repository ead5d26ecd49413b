# Everything lives in .venv beside this file and is made when a target needs it.
# Another Python: make test PYTHON=python3.13

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Errors only: warnings about a machine's own pip settings tell a newcomer nothing.
PIP := $(BIN)/python -m pip -qq --disable-pip-version-check --no-input
# Build back ends are pinned as well, so that a release of one of them changes no result.
INSTALL := $(PIP) install --constraint constraints.txt --build-constraint constraints.txt
# --group came with pip 25.1, and Debian 12 brings 23.0.
PIP_VERSION := 26.3
# Workers share no module, so that one server serves all tests of its module.
PYTEST := $(BIN)/pytest --numprocesses=auto --dist=loadfile
FULLY_COVERED := */caldav_run/repository/*,*/caldav_run/engine/plan.py,*/caldav_run/ical/canonical.py

# Says what to install where Python is missing, too old, or lacks what a stock Debian leaves out.
define require_python
@command -v $(PYTHON) >/dev/null || { \
  echo 'There is no $(PYTHON) here. On Debian and Ubuntu: apt install python3 python3-venv' >&2; \
  echo 'Another name or place: make PYTHON=/usr/bin/python3.12 …' >&2; exit 1; }
@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
  echo "caldav-run needs Python 3.11 or newer, and $(PYTHON) is $$($(PYTHON) --version 2>&1)." >&2; \
  echo 'Name a newer one: make PYTHON=python3.12 …' >&2; exit 1; }
@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
  echo "$(PYTHON) cannot make virtual environments here: its module ensurepip is missing." >&2; \
  echo "On Debian and Ubuntu: apt install $$($(PYTHON) -c 'import sys; print("python3-venv" if sys.executable == "/usr/bin/python3" else "python%d.%d-venv" % sys.version_info[:2])')" >&2; \
  exit 1; }
endef

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules
unexport VIRTUAL_ENV PYTHONPATH PYTHONHOME

.PHONY: help
help: ## Show these lines
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 16

.PHONY: demo
demo: $(VENV)/.demo ## Back up, change, compare and restore a sample server, on this machine
	@$(BIN)/caldav-run demo

.PHONY: test
test: $(VENV)/.test ## Run every test; ARGS='-k name' chooses
	$(PYTEST) $(ARGS)

# Each server in one worker, so that it is started once.
SERVER ?= all

.PHONY: test-servers
test-servers: $(VENV)/.test ## Run the suite of real servers; SERVER='cyrus sogo' chooses
	CALDAV_RUN_SERVERS='$(SERVER)' CALDAV_RUN_MATRIX=union $(BIN)/pytest --numprocesses=2 \
	  --dist=loadscope -rs tests/integration/servers $(ARGS)

.PHONY: test-matrix
test-matrix: $(VENV)/.test ## Restore all that each server gave into each; SERVER='cyrus sogo' into these
	CALDAV_RUN_SERVERS='$(SERVER)' CALDAV_RUN_MATRIX=pairs $(BIN)/pytest --numprocesses=2 \
	  --dist=loadscope -rs --timeout=7200 tests/integration/servers/test_matrix.py $(ARGS)

.PHONY: docs-servers
docs-servers: ## Measure every server anew and write docs/servers.md
	CALDAV_RUN_MEASURED=$(CURDIR)/docs/servers $(MAKE) test-servers SERVER='$(SERVER)'
	$(BIN)/python docs/generate_servers.py

.PHONY: kills
kills: $(VENV)/.test ## Kill the program 200 times while it backs up, into a folder and into S3, and 100 times while it restores
	CALDAV_RUN_KILLS=200 $(PYTEST) tests/integration/reliability/test_kills_local.py \
	  tests/integration/reliability/test_kills_s3.py
	CALDAV_RUN_KILLS=1000 $(PYTEST) --timeout=7200 tests/integration/reliability/test_kills_restore.py

.PHONY: reliability
reliability: $(VENV)/.test ## Play crashes, kills, damage and chance for an hour
	CALDAV_RUN_KILLS=2000 CALDAV_RUN_CHANCE=long $(PYTEST) --timeout=14400 -p no:randomly \
	  tests/integration/reliability

.PHONY: coverage
coverage: ## Run every test under coverage, then hold the result against the gates
	PYTEST_ADDOPTS='--cov --cov-report= --cov-fail-under=0' $(MAKE) test
	$(MAKE) coverage-gates

.PHONY: coverage-gates
coverage-gates: $(VENV)/.test
	$(BIN)/coverage report
	$(BIN)/coverage report --include='$(FULLY_COVERED)' --fail-under=100

# Each target in turn; what breaks one is left in build/fuzz.
FUZZ_SECONDS ?= 600

.PHONY: fuzz
fuzz: $(VENV)/.dev ## Fuzz the parsers of what lies in a store; FUZZ_SECONDS=600 each
	PYTHONPATH=runner $(BIN)/python -W ignore tests/fuzz/run.py $(FUZZ_SECONDS)

# A minute or two for most modules; hours for all that must not be wrong, which is the default.
.PHONY: mutation
mutation: $(VENV)/.dev ## Count the small changes that no test notices; MODULES='repository/tar'
	@$(BIN)/python tests/mutation/run.py --children 2 $(MODULES)

.PHONY: test-wheel
test-wheel: dist ## Run every test against the built wheel instead of the checkout
	rm -rf .venv-wheel
	@$(MAKE) --no-print-directory VENV=.venv-wheel .venv-wheel/.wheel
	@.venv-wheel/bin/python -P -c 'import caldav_run; print("Testing", caldav_run.__file__)' | grep -F .venv-wheel
	.venv-wheel/bin/pytest --numprocesses=auto --dist=loadfile --override-ini=pythonpath=. $(ARGS)

.PHONY: dist
dist: $(VENV)/.dev ## Build the source archive, and the wheel from it
	rm -rf dist
	$(BIN)/python -m build --no-isolation --outdir dist . >/dev/null
	@ls -l dist

.PHONY: lint
lint: style types layers dependencies spelling ## Run every check that needs no running

.PHONY: style
style: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

.PHONY: types
types: $(VENV)/.dev
	$(BIN)/mypy

.PHONY: layers
layers: $(VENV)/.dev
	$(BIN)/lint-imports

.PHONY: dependencies
dependencies: $(VENV)/.dev
	$(BIN)/deptry .

.PHONY: spelling
spelling: $(VENV)/.dev
	$(BIN)/typos

.PHONY: check
check: lint coverage test-wheel demo ## Everything that CI runs

.PHONY: format
format: $(VENV)/.dev ## Lay out the code and mend what ruff can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: docs-tables
docs-tables: $(VENV)/.dev ## Write the option tables of docs/options.md anew from schemas/
	$(BIN)/python docs/generate_options.py

.PHONY: changelog
changelog: $(VENV)/.dev ## Show what the next release's part of the changelog says
	$(BIN)/towncrier build --draft

.PHONY: hooks
hooks: $(VENV)/.dev ## Have git run the checks before a commit and the tests before a push
	$(BIN)/pre-commit install --hook-type pre-commit --hook-type pre-push

.PHONY: constraints
constraints: ## Renew the pinned versions
	$(require_python)
	rm -rf .venv-resolve
	$(PYTHON) -m venv .venv-resolve
	.venv-resolve/bin/python -m pip -qq install pip==$(PIP_VERSION)
	.venv-resolve/bin/python -m pip -qq install --editable '.[demo,keyring,testing]' --group dev
	{ echo '# Written by `make constraints`; every version that is used here and in CI.'; \
	  .venv-resolve/bin/python -m pip freeze --exclude-editable; } >constraints.new
	mv constraints.new constraints.txt
	rm -rf .venv-resolve

.PHONY: clean
clean: ## Remove everything that these targets made
	rm -rf .venv .venv-wheel .venv-resolve dist build .coverage .coverage.* .hypothesis
	rm -rf .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	find runner tests benchmarks docs -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.made:
	$(require_python)
	@echo 'Making $(VENV)'
	@$(PYTHON) -m venv --clear $(VENV)
	@$(PIP) install pip==$(PIP_VERSION)
	@touch $@

$(VENV)/.demo: pyproject.toml constraints.txt $(VENV)/.made
	@echo 'Installing caldav-run and the sample server into $(VENV)'
	@$(INSTALL) --editable '.[demo]'
	@touch $@

$(VENV)/.test: pyproject.toml constraints.txt $(VENV)/.demo
	@echo 'Installing what the tests need into $(VENV)'
	@$(INSTALL) --editable '.[demo,keyring,testing]' --group test
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt $(VENV)/.test
	@echo 'Installing the checkers into $(VENV)'
	@$(INSTALL) --group dev
	@touch $@

.venv-wheel/.wheel: $(VENV)/.made
	@echo 'Installing the wheel into $(VENV)'
	@wheel=$$(echo dist/*.whl) && $(INSTALL) "$$wheel[demo,keyring,testing]" --group test
	@touch $@
