# Two commands set everything up: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UI := src/laneway/web/_ui/index.html
TOGETHER := -n auto --maxprocesses 4 --dist worksteal # tests run beside each other: half of their time is waiting
UI_SOURCES := $(shell find ui -type f -not -path '*/node_modules/*' 2>/dev/null)

.DEFAULT_GOAL := help
.PHONY: help demo test test-clickhouse test-docker check fmt bench bench-peers bench-check torture ui lock clean fuzz test-matrix audit docs release-check

help: ## what there is to make
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/.run-ready $(UI) ## install, build the page, run a real multi-agent assistant, print the address
	@$(BIN)/python -m laneway demo $(ARGS)

test: $(VENV)/.dev-ready $(UI) ## every test, a real browser included
	@tools/bootstrap programs
	@cd ui && PATH="$(abspath $(BIN)):$$PATH" ../tools/npm run --silent test
	$(BIN)/python -m pytest $(TOGETHER) $(ARGS)

check: $(VENV)/.dev-ready $(UI) ## format, lint, types, import table, documents
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	@cd ui && ../tools/npm run --silent check
	$(BIN)/python tools/check_docs.py
	@$(MAKE) --no-print-directory docs

docs: $(VENV)/.dev-ready ## the documentation as a site, in dist/docs
	$(BIN)/python -m sphinx --quiet --fail-on-warning --keep-going --conf-dir docs/site . dist/docs

fmt: $(VENV)/.dev-ready ## put code into its one form
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/.dev-ready $(UI) ## every figure beside its goal and its peer, measured here
	$(BIN)/python -m bench.run $(ARGS)

bench-peers: $(VENV)/.dev-ready $(UI) ## the same events through other loggers and servers (installs them in .peers, 1 GB)
	@tools/bootstrap peers
	$(BIN)/python -m bench.peers.run $(ARGS)

bench-check: $(VENV)/.dev-ready ## instructions of the hot paths against the baseline: what became slower
	$(BIN)/python -m bench.check $(ARGS)

torture: $(VENV)/.dev-ready ## the long form of the kill, flood and rotation tests, and the table of their figures
	LANEWAY_TORTURE=long LANEWAY_FIGURES=$(abspath docs/reliability.json) $(BIN)/python -m pytest tests/torture --timeout 3600 $(ARGS)
	$(BIN)/python tools/reliability.py

test-matrix: $(VENV)/.dev-ready ## what arrives from the agent frameworks of the field (installs them in .matrix)
	$(BIN)/python tools/otel_matrix.py --write $(ARGS)

test-docker: $(VENV)/.dev-ready $(UI) ## images and Compose files on a Docker Engine (DOCKER_HOST, BASE_IMAGE); FORM=short leaves some out
	@tools/bootstrap programs
	LANEWAY_DOCKER=$(or $(FORM),long) $(BIN)/python -m pytest tests/docker $(ARGS)

test-clickhouse: $(VENV)/.dev-ready ## the index on ClickHouse, run by its engine in process (installs 0.6 GB)
	$(BIN)/python -m uv pip install --quiet --python $(BIN)/python --require-hashes -r locks/engine.txt
	$(BIN)/python -m pytest tests/store/clickhouse tests/contract -k clickhouse --timeout 1200 $(ARGS)

fuzz: $(VENV)/.dev-ready ## fuzz the parsers with coverage for a minute each (needs atheris)
	$(BIN)/python -m pip install --quiet atheris || $(BIN)/python -m uv pip install --quiet atheris
	@for target in $(notdir $(wildcard fuzz/corpus/*)); do $(BIN)/python -m fuzz $$target -max_total_time=$(or $(SECONDS_EACH),60) || exit 1; done

audit: $(VENV)/.dev-ready ## look for known vulnerabilities in what is installed; says so where nobody can be asked
	@tools/audit

release-check: $(VENV)/.dev-ready ## build the release twice, compare, try it with every Python, list its parts
	$(BIN)/python tools/release.py

ui: $(UI) ## build the page

lock: $(VENV)/.dev-ready ## renew the lock files
	tools/lock

clean: ## remove what was made
	rm -rf $(VENV) dist src/laneway/web/_ui ui/node_modules .demo .matrix .peers .programs

$(VENV)/.run-ready: pyproject.toml locks/run.txt hatch_build.py
	@tools/bootstrap run "$(PYTHON)" && touch $@

$(VENV)/.dev-ready: pyproject.toml locks/dev.txt hatch_build.py
	@tools/bootstrap dev "$(PYTHON)" && touch $@ $(VENV)/.run-ready

$(UI): $(UI_SOURCES) | $(VENV)/.run-ready
	@$(BIN)/python hatch_build.py && touch $@
