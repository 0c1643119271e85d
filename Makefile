# A fresh machine needs Python 3.11+ and make; everything else comes from the lock files.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV_VERSION := 0.13.9
EXTERNAL ?=
EXTERNAL_NAME := $(if $(filter 1,$(EXTERNAL)),oidc-provider,$(EXTERNAL))
FLAGS := $(if $(EXTERNAL),--external $(EXTERNAL_NAME))

# Tests and demo start many processes: each compiles every module again where this is forbidden.
export PYTHONDONTWRITEBYTECODE =

.PHONY: demo smoke idp test test-all screenshots check bench lock servers clean

$(BIN)/uv:
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Archway needs Python 3.11 or newer; set PYTHON=")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

$(VENV)/.installed: requirements.lock $(BIN)/uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes --requirements requirements.lock
	touch $@

$(VENV)/.installed-dev: requirements-dev.lock $(BIN)/uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes --requirements requirements-dev.lock
	touch $@ $(VENV)/.installed

demo: $(if $(EXTERNAL),servers-external,$(VENV)/.installed)
	@exec $(BIN)/python manage.py demo $(FLAGS)

smoke: $(if $(EXTERNAL),servers-external,$(VENV)/.installed)
	@exec $(BIN)/python manage.py smoke $(FLAGS)

# One identity provider for a developer, until Ctrl-C: make idp NAME=keycloak
idp: $(VENV)/.installed-dev
	@$(BIN)/python -m tests.servers.install $(NAME)
	@exec $(BIN)/python -m tests.servers.run_idp $(NAME)

# Everything that needs Python only, on SQLite.
test: $(VENV)/.installed-dev
	$(BIN)/pytest -n auto --dist loadscope -m "not servers and not browser and not postgresql"

# Every page and component, light and dark, at 1440 and 390 px, into the folder screenshots/.
screenshots: $(VENV)/.installed-dev
	$(BIN)/python -m tests.servers.install chromium
	ARCHWAY_SCREENSHOTS=$(CURDIR)/screenshots $(BIN)/pytest -q -n 0 --timeout 1800 tests/browser/test_every_page.py

# Also on PostgreSQL and Redis, with real identity providers and a real browser.
test-all: servers
	ARCHWAY_PYTHON=$(BIN)/python tests/run-all.sh

servers: $(VENV)/.installed-dev
	$(BIN)/python -m tests.servers.install

servers-external: $(VENV)/.installed-dev
	$(BIN)/python -m tests.servers.install $(EXTERNAL_NAME)

check: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	$(BIN)/lint-imports
	$(BIN)/djlint --check --lint templates
	$(BIN)/python manage.py makemigrations --check --dry-run

bench: $(VENV)/.installed-dev
	$(BIN)/python -m tests.servers.install postgresql redis-server oidc-provider wrk
	$(BIN)/python -m bench

lock: $(BIN)/uv
	$(BIN)/uv pip compile pyproject.toml --universal --generate-hashes --python-version 3.11 --custom-compile-command "make lock" --quiet --upgrade --output-file requirements.lock
	$(BIN)/uv pip compile pyproject.toml --group dev --universal --generate-hashes --python-version 3.11 --custom-compile-command "make lock" --quiet --upgrade --output-file requirements-dev.lock
	$(BIN)/uv pip compile pyproject.toml --extra ldap --universal --generate-hashes --python-version 3.11 --custom-compile-command "make lock" --quiet --upgrade --output-file requirements-ldap.lock
	$(BIN)/uv pip compile --group msgraph --universal --generate-hashes --python-version 3.11 --custom-compile-command "make lock" --quiet --upgrade --output-file requirements-msgraph.lock

clean:
	rm -rf $(VENV) .servers .archway .mypy_cache .ruff_cache .pytest_cache
