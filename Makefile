# One place to start: `make run` for a card, `make test` for a green suite, `make check` for everything.
PYTHON ?= python3
BIN := .venv/bin
.DEFAULT_GOAL := help
.PHONY: event-rounds event-bench bench count soak mutation sbom audit wheel image-check manifests-check
.PHONY: help install run test static check docs lock clean

help: ## show what can be made
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

.venv/.installed: requirements/runtime.txt pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/build.txt -r requirements/runtime.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

.venv/.developer: .venv/.installed requirements/dev.txt
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/dev.txt
	@touch $@

install: .venv/.installed ## make .venv with the locked dependencies; afterwards .venv/bin/cds-service works

run: install ## start the service in sandbox mode on http://127.0.0.1:8000
	$(BIN)/cds-service serve --sandbox

test: .venv/.developer ## the whole test suite
	$(BIN)/python -m pytest --numprocesses=auto

static: .venv/.developer ## everything of `check` but the tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/cds-service knowledge check

check: static test ## format, lint, types, import contracts, knowledge, tests

docs: .venv/.developer ## write docs/knowledge.md anew from cards/
	$(BIN)/python -m cds_service.knowledge.show --write docs/knowledge.md

lock: .venv/.developer ## write the hashed lock files anew (needs uv on the PATH)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate pyproject.toml -o requirements/runtime.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate pyproject.toml --group dev -o requirements/dev.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate requirements/build.in -o requirements/build.txt

bench: .venv/.developer ## the benchmarks beside their floors and a peer; writes docs/performance.md
	$(BIN)/python -m benchmarks

count: .venv/.developer ## what one answer costs in instructions (needs valgrind); writes docs/performance-counted.md
	$(BIN)/python -m benchmarks.counted

soak: .venv/.developer ## ten minutes at 16 connections: no failure, memory flat
	$(BIN)/python -m benchmarks.soak

mutation: .venv/.developer ## small faults put into the engine: 85 of 100 must be noticed (hours; MODULE=path for one)
	$(BIN)/mutmut run $(if $(WORKERS),--max-children $(WORKERS)) $(if $(MODULE),'$(subst /,.,$(MODULE:.py=)).*')
	$(BIN)/mutmut export-cicd-stats
	$(BIN)/python -m tests.mutation $(MODULE)

build/runtime/.installed: requirements/runtime.txt pyproject.toml
	$(PYTHON) -m venv --clear build/runtime
	build/runtime/bin/python -m pip install --quiet --require-hashes -r requirements/runtime.txt
	@touch $@

sbom: .venv/.developer build/runtime/.installed ## list what is installed and its licences: docs/sbom.json, docs/licences.md
	$(BIN)/python requirements/sbom.py build/runtime/bin/python

audit: ## ask about known vulnerabilities; says NOT AUDITED when nobody answered
	$(PYTHON) -m venv build/audit
	build/audit/bin/python -m pip install --quiet pip-audit
	build/audit/bin/python requirements/audit.py build/audit/bin/pip-audit

wheel: export SOURCE_DATE_EPOCH ?= 1767225600
wheel: .venv/.developer ## build the wheel twice, compare, write dist/SHA256SUMS
	rm -rf dist build/wheel
	$(BIN)/hatchling build -t wheel -d dist
	$(BIN)/hatchling build -t wheel -d build/wheel
	cmp dist/*.whl build/wheel/*.whl
	cd dist && sha256sum *.whl > SHA256SUMS && cat SHA256SUMS

image-check: ## build the image, start it, ask it for discovery (as root; needs buildah, mmdebstrap)
	docker/check_image.sh

manifests-check: ## hold the Kubernetes manifests against the published schemas
	docker/check_manifests.sh

event-rounds: .venv/.developer ## kill -9 of inbox and worker, 50 rounds: nothing lost, nothing twice
	EVENT_ROUNDS=50 $(BIN)/python -m pytest tests/integration/events/test_kill.py -q

event-bench: .venv/.developer ## 10,000 notifications taken in and drained: rate, and memory that stays flat
	$(BIN)/python -m benchmarks.events

clean: ## remove what was made
	rm -rf .venv build dist mutants .mypy_cache .pytest_cache .ruff_cache .hypothesis
