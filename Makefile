PY ?= python3
BIN := .venv/bin
PO := $(wildcard idp/translations/*/LC_MESSAGES/*.po)
MO := $(PO:.po=.mo)
LOCKFLAGS := --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header --only-binary :all:

# Images set it, and then every process that a run of the tests starts compiles the product anew (a third of its start).
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test install lint checked format bench soak lock migration docs debian clean

demo: .venv/.stamp $(MO)  ## everything on this machine: http://localhost:8000 and the portals; Ctrl-C stops it
	$(BIN)/idp demo

test: debian checked  ## lint, then every test, those of the house among them
	$(BIN)/python -m pytest -q -n 2 --dist loadgroup

install:  ## what production needs, into .venv: locked packages, the `idp` command, translations
	$(PY) -m venv .venv
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes --only-binary :all: -r requirements.lock
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	$(BIN)/pybabel -q compile -d idp/translations

lint: checked
	$(BIN)/python -m pytest -q -p no:xdist tests/test_house.py tests/test_translations.py

checked: .venv/.stamp $(MO)
	$(BIN)/ruff check -q .
	$(BIN)/ruff format -q --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache > .venv/imports.log || { cat .venv/imports.log; exit 1; }
	$(BIN)/python tools/translations.py

format: .venv/.stamp
	$(BIN)/ruff check -q --fix .
	$(BIN)/ruff format -q .

bench: .venv/.stamp $(MO)  ## the hot paths beside bare views and a peer on SQLite and on PostgreSQL, growth to a million grants on either database, a purge of a million artefacts, factors, a practice of 100,000, a second node, NPPES at national scale, in this order (1½ hours of a quiet machine and 25 GB; ROWS=200000 for an hour)
	@failed=; for part in bench "bench --postgresql" bench.growth "bench.growth --postgresql" bench.purging bench.passkeys bench.second_factors bench.matching bench.managing \
		bench.revoking "bench.directory --rows $(or $(ROWS),8000000)"; do \
		echo "$$part"; $(BIN)/python -m $$part || failed="$$failed, $$part"; \
	done; $(BIN)/python -m bench.page || failed="$$failed, a bar"; test -z "$$failed" || { echo "failed$$failed" >&2; exit 1; }

soak: debian .venv/.stamp $(MO)  ## the long rounds
	CREDENCE_SOAK=1 $(BIN)/python -m pytest -q -n 2 --dist loadgroup -m "soak or faults or races"

.venv/.stamp: requirements-dev.lock pyproject.toml
	$(PY) -m venv .venv
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes --only-binary :all: -r requirements-dev.lock
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

%.mo: %.po .venv/.stamp
	$(BIN)/pybabel -q compile -i $< -o $@

debian:  ## what tests want of Debian: installed as root, else named
	@sh .ci/debian

lock:  ## after a change of pyproject.toml's dependencies
	uv pip compile -q pyproject.toml --extra postgres --group build $(LOCKFLAGS) -o requirements.lock
	uv pip compile -q pyproject.toml --all-extras --group dev --group build -c requirements.lock $(LOCKFLAGS) -o requirements-dev.lock

migration: .venv/.stamp  ## NAME=words: draft a revision of what the models have and the migrations lack
	$(BIN)/python -m idp.migrations.draft $(NAME)
	$(BIN)/ruff format -q idp/migrations

docs: .venv/.stamp  ## docs/settings.md from the settings' own docstrings
	$(BIN)/python -m idp.settings > docs/settings.md

clean:
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
