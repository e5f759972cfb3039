# The two commands are `make demo` and `make test`. CONTRIBUTING.md says more.
PYTHON ?= python3
PORT ?= 8000
export PORT
VENV := .venv/bin
SERVED := $(VENV)/python -m config.services run --
PYTEST := $(VENV)/python -m pytest -p no:platformdirs -p no:valkey

.PHONY: demo test test-code test-stories check bench format lock clean

demo:  ## everything on this machine, ready to be tried: Ctrl-C stops it
	@$(PYTHON) -I config/install.py demo
	@exec $(VENV)/python -m config.supervisor

test: test-code test-stories  ## all tests, on servers of their own

test-code:  # what runs in one process, and against other programs
	@$(PYTHON) -I config/install.py test
	$(SERVED) $(PYTEST) -p no:playwright -n 2 --dist worksteal tests/unit tests/integration tests/peers

test-stories:  # whole stacks: each needs the machine for itself
	@$(PYTHON) -I config/install.py test
	$(SERVED) $(PYTEST) tests/e2e tests/faults

check: export SECRET_KEY = only-for-make-check-and-for-no-server-0123456789-abcdefghijklm
check: export CREDENTIAL_KEYS = AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=
check: export PUBLIC_URL = https://help.example
check: export DATA_DIR = var/check
check: export DEBUG = 0
check:  ## format, lint, types, import contracts, migrations, settings for production
	@$(PYTHON) -I config/install.py check
	$(VENV)/ruff format --check
	$(VENV)/ruff check
	$(VENV)/lint-imports
	$(VENV)/djlint templates --lint --quiet
	$(SERVED) sh -ec '$(VENV)/mypy && $(VENV)/python manage.py makemigrations --check --dry-run && $(VENV)/python manage.py check --deploy --fail-level WARNING'

bench:  ## measures; see docs/performance.md
	@$(PYTHON) -I config/install.py test
	$(VENV)/python -m tests.bench

format:
	$(VENV)/ruff format
	$(VENV)/ruff check --fix

LOCK := uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --quiet --no-header
lock:  ## needs uv: after a change of pyproject.toml
	$(LOCK) pyproject.toml -o requirements/app.lock
	$(LOCK) pyproject.toml --extra demo -o requirements/demo.lock
	$(LOCK) pyproject.toml --extra demo --extra test -o requirements/test.lock

clean:  ## forgets the packages and all demo data
	rm -rf .venv .venv-node node_modules static/vendor var
