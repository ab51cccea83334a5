# Two targets matter: `make demo` runs the whole service, `make test` checks everything. Both need only
# Python 3.11 or newer, make and a network; they install the rest into .venv and node_modules.

SHELL := bash
.DEFAULT_GOAL := help
VENV := .venv
PYTHON := $(VENV)/bin/python
PIP := $(PYTHON) -m pip --disable-pip-version-check
LOCK := $(VENV)/bin/uv --no-config pip compile pyproject.toml --universal --python-version 3.11 \
	--generate-hashes --no-emit-index-url --no-header --quiet

.PHONY: help demo test lock format shots bench-setup bench-reload bench-failover bench-media bench-loss bench-routing nightly soak attack clean

help: ## Show the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

demo: $(VENV)/installed ## Run the whole service with a demonstration hall; Ctrl-C stops it
	@exec $(VENV)/bin/bangban serve --demo

test: $(VENV)/installed-dev ## Format, lint, types, import rules, checksums and all tests, as CI runs them
	@exec $(PYTHON) deploy/check.py

lock: $(VENV)/installed-dev ## Choose dependency versions anew from pyproject.toml
	$(LOCK) --upgrade --group build -o requirements.lock
	$(LOCK) --upgrade --group build --group dev -c requirements.lock -o requirements-dev.lock

format: $(VENV)/installed-dev ## Format and mend what can be mended
	$(VENV)/bin/ruff check --fix-only --quiet .
	$(VENV)/bin/ruff format .

shots: $(VENV)/installed-dev ## Take the pictures in docs/pictures anew
	CHROMIUM="$$(deploy/browsers.sh)" $(PYTHON) -m tests.e2e.shots

bench-setup: $(VENV)/installed-dev ## Measure the time from accept to the first picture
	CHROMIUM="$$(deploy/browsers.sh)" $(PYTHON) -m bench.setup

bench-failover: $(VENV)/installed-dev ## Measure how long a call is without pictures when its media worker is killed
	CHROMIUM="$$(deploy/browsers.sh)" $(PYTHON) -m bench.failover

bench-reload: $(VENV)/installed-dev ## Measure how long a reloaded console is without the picture
	CHROMIUM="$$(deploy/browsers.sh)" $(PYTHON) -m bench.reload

bench-media: $(VENV)/installed-dev ## Measure recorded calls per core beside Debian's Janus (installs it as root)
	@exec $(PYTHON) -m bench.media

bench-loss: $(VENV)/installed-dev ## Measure a call of two browsers on bad networks, and how rates follow the paths
	CHROMIUM="$$(deploy/browsers.sh)" $(PYTHON) -m bench.loss

bench-routing: $(VENV)/installed-dev ## Measure reservations a second in a hall of 10,000 agents, beside a plain ZPOPMIN
	@exec $(PYTHON) -m bench.routing

nightly: $(VENV)/installed-dev ## A million random verbs and faults on the routing's stores (STEPS, SEED)
	@exec $(PYTHON) -m tests.agents.stateful --steps $(or $(STEPS),1000000) $(if $(SEED),--seed $(SEED))

soak: $(VENV)/installed-dev ## 1,000 short recorded calls, then one of an hour: does anything grow? (80 minutes)
	@exec $(PYTHON) -m bench.soak

attack: $(VENV)/installed-dev ## 1,000 joins while strangers flood the media node's port (5 minutes)
	@exec $(PYTHON) -m bench.attack

clean: ## Remove what was installed and built, never the data in var/
	rm -rf $(VENV) node_modules build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis \
		.import_linter_cache

# The markers are newer than the locks they were installed from, so that a second run does nothing.
$(PYTHON):
	deploy/venv.sh $(VENV)

$(VENV)/installed: requirements.lock pyproject.toml | $(PYTHON)
	$(PIP) install --quiet --require-hashes -r requirements.lock
	$(PIP) install --quiet --no-deps --no-build-isolation --no-index -e .
	@touch $@

$(VENV)/installed-dev: requirements-dev.lock $(VENV)/installed
	$(PIP) install --quiet --require-hashes -r requirements-dev.lock
	@touch $@
