# Targets with a "## " comment are what `make help` shows.
PYTHON ?= python3
VENV := .venv
DEBIAN_PACKAGES := wordpress php-cli php-fpm php-mysql php-curl php-xml php-mbstring \
	mariadb-server nginx-light chromium postgresql phpunit php-codesniffer \
	fonts-dejavu-core fonts-noto-color-emoji

PIP_INSTALL := $(VENV)/bin/python -m pip install --quiet --disable-pip-version-check
PYTHON_FOLDERS = bridge tests $(wildcard bench)
PLUGIN_FILES = $(shell find wp-plugin -type f)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup run test lint bench openapi.json clean

help: ## Show what can be made
	@sed -n 's/^\([a-z.]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

setup: $(VENV)/.tools-installed ## Make .venv and install everything, the tests' tools too

run: $(VENV)/.runtime-installed ## Start the demo on $PORT and print what to open
	@$(VENV)/bin/python -m bridge demo

test: setup ## Run every test (as root also installs the Debian packages they need)
	@bin/install-debian-packages $(DEBIAN_PACKAGES)
	$(VENV)/bin/pytest -n 3 --dist loadfile --ignore tests/api/test_specification.py
	@# Apart: its cases share their names, by which tests that run side by side are told apart.
	$(VENV)/bin/pytest tests/api/test_specification.py

lint: setup ## Check style, types, layers and PHP
	@bin/install-debian-packages php-cli php-codesniffer
	$(VENV)/bin/ruff check
	$(VENV)/bin/ruff format --check
	$(VENV)/bin/mypy $(PYTHON_FOLDERS)
	$(VENV)/bin/mypy bridge/gunicorn.conf.py
	$(VENV)/bin/lint-imports --no-cache
	find wp-plugin tests -name '*.php' -print0 | xargs -0 -r -n1 php -l >/dev/null
	phpcs

bench: setup ## Measure the budgets side by side and print the table
	$(VENV)/bin/python -m bench

plugin.zip: $(VENV)/.runtime-installed bridge/plugin_archive.py $(PLUGIN_FILES) ## Pack the WordPress plugin
	$(VENV)/bin/python -m bridge.plugin_archive $@

openapi.json: $(VENV)/.runtime-installed ## Write the API's description from the code
	$(VENV)/bin/python -m bridge openapi >$@.new
	@mv $@.new $@

clean: ## Remove everything that was made here
	rm -rf $(VENV) .demo .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache plugin.zip openapi.json.new
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Two stamps, so that `make run` installs only what the bridge itself needs.
$(VENV)/.runtime-installed: requirements.txt
	@echo "Installing what the bridge needs into $(VENV): half a minute or so, once."
	@bin/make-venv $(PYTHON) $(VENV)
	@$(PIP_INSTALL) -r requirements.txt
	@touch $@

$(VENV)/.tools-installed: requirements-dev.txt $(VENV)/.runtime-installed
	@echo "Installing what the tests and checks need."
	@$(PIP_INSTALL) -r requirements-dev.txt
	@touch $@
