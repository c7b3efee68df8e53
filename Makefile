# The words of daily work. Each sets up what it needs: git, make and Python 3.11 to 3.14 with venv
# are enough to begin with.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv pip install --quiet --python $(BIN)/python
# Where Python keeps compiled modules, whatever the shell says of that. Hundreds of tests start
# processes; each would compile all that it imports again.
export PYTHONPYCACHEPREFIX := $(CURDIR)/build/bytecode
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup demo test coverage docs pictures manpage check bench stress mutants release clean
.DEFAULT_GOAL := help

help:  ## show this list
	@sed -n 's/^\([a-z]*\):.*## /\1|/p' $(MAKEFILE_LIST) | awk -F'|' '{printf "  make %-8s %s\n", $$1, $$2}'

setup: $(VENV)/.installed  ## make .venv with the pinned versions of everything

# uv itself comes by pip, checked against the same lock; then uv brings the rest.
$(VENV)/.installed: pyproject.toml sandbox/pyproject.toml .ci/lock.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(None if (3, 11) <= v <= (3, 14) else "ticketr needs Python 3.11 to 3.14; set PYTHON=... (found %d.%d)" % v)'
	@echo "setting up $(VENV); this takes a minute or two"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@sed -n '/^uv==/,/^    # via/p' .ci/lock.txt > $(VENV)/uv.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r $(VENV)/uv.txt
	@$(UV) --require-hashes -r .ci/lock.txt
	@$(UV) --no-deps --no-build-isolation -e ./sandbox -e .
	@touch $@

demo: setup  ## open the app, and pull 500 tickets from a Jira stand-in on this machine into a new folder
	@$(BIN)/ticketr demo

# Only a run of all tests has to reach the limit of coverage: one with ARGS may run few of them.
test: setup  ## run every test, with the coverage of lines
	@rm -f .coverage .coverage.*
	@$(BIN)/coverage run $(BRANCH) -m pytest -q -n 3 --dist worksteal $(ARGS)
	@$(BIN)/python .ci/readable_coverage.py
	@$(BIN)/coverage combine --quiet
	@mkdir -p build && $(BIN)/coverage report $(if $(ARGS),--fail-under=0) > build/coverage.txt || { cat build/coverage.txt; exit 1; }

coverage: BRANCH = --branch
coverage: test  ## run every test, with the coverage of branches, which takes longer

docs: setup  ## build the manual into build/docs; a warning is an error
	@$(BIN)/sphinx-build --quiet --fail-on-warning --keep-going -b html docs build/docs

pictures: setup  ## draw the app's screens for the manual into docs/pictures
	@PYTHONPATH=tests:docs $(BIN)/python -m drawing.pictures

manpage: setup  ## write what the help of the commands says into docs/ticketr.1
	@cd tests && ../$(BIN)/python -m fakes.man_page

check:  ## run the whole gate, as a reviewer would
	@bash .ci/run

bench: setup  ## print the measured ratios against named peers
	@$(BIN)/python benchmarks/run.py $(ARGS)

stress: setup  ## run the long sweeps and soaks that the gate only samples
	@TICKETR_STRESS=1 $(BIN)/python -m pytest -q -m 'stress or laws' --timeout 3600 $(ARGS)

mutants: setup  ## change the queue in a copy, one expression at a time; print what no test notices
	@$(BIN)/python tests/mutants.py $(ARGS)

release: setup  ## commit and tag a release; VERSION=0.1.0. Nothing leaves this machine
	@$(BIN)/python .ci/release.py '$(VERSION)'

clean:  ## remove what the other words made
	rm -rf $(VENV) build dist .coverage .coverage.* .mypy_cache .ruff_cache .hypothesis
