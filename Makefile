# Two commands on a fresh machine: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test test-ray check format bench docs page-tools vendor pictures clean

$(BIN)/tamis: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.test: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	@touch $@ $(BIN)/tamis

demo: $(BIN)/tamis  ## build a small datasource, scan it, select from it, write the report
	$(BIN)/tamis demo demo

test: check  ## everything that CI runs, two files at once
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile

# What the other tests have is shared, so that only Ray is fetched: a folder named in a `.pth` file joins the path.
$(VENV)-ray/.test: $(VENV)/.test
	$(PYTHON) -m venv $(VENV)-ray
	$(VENV)-ray/bin/python tools/share_packages.py $(BIN)/python
	$(VENV)-ray/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[ray]'
	@touch $@

test-ray: $(VENV)-ray/.test  ## the tests of `--engine ray`, in an environment of their own with Ray: 250 MB
	$(VENV)-ray/bin/python -m pytest tests/cluster

check: $(VENV)/.test  ## format, lint, types, import directions, generated docs
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python docs/generate.py --check

format: $(VENV)/.test  ## rewrite the code in the house style
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: $(VENV)/.test  ## rewrite the generated pages of docs/
	$(BIN)/python docs/generate.py

tools/page/node_modules/.package-lock.json: tools/page/package-lock.json
	npm ci --prefix tools/page --silent --no-fund --no-audit --ignore-scripts
	@touch $@

page-tools: tools/page/node_modules/.package-lock.json  ## what checks the page's JavaScript: tsc, axe-core (needs npm)

vendor:  ## copy the page's libraries, pinned in tools/page/package.json, into the package (needs npm)
	$(PYTHON) tools/page/vendor.py

pictures: $(VENV)/.test  ## draw the pictures of docs/page.md anew (needs chromium)
	TAMIS_PICTURES=docs/images $(BIN)/python -m pytest tests/browser/test_page_pictures.py

bench: $(VENV)/.test  ## measure against peers, write benchmarks/results.md
	$(BIN)/python benchmarks/run.py

clean:
	rm -rf $(VENV) $(VENV)-ray demo benchmarks/work
