# The project's doors. Each makes what it needs first: Python 3.11 or newer with pip, and make, are enough to begin.

PYTHON  ?= python3
BROWSER ?= yes
PORT    ?= 8888
JOBS    ?= 4

# Files in their own order: sorted by how many tests they hold, the slowest would come last, one beside two idle workers.
pytest_files = --dist loadfile --no-loadscope-reorder

bin    := .venv/bin
lock   := binder/constraints.txt
pytest := $(bin)/python -m pytest
quiet  := .venv/etc/jupyter/labconfig/page_config.json

# A workshop's network may reach nothing but its own machines: Lab asks for no news, no updates, no list of extensions.
offline := --LabApp.news_url=None --LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate --LabApp.extension_manager=readonly

# "yes" and "no" speak to this file; to Python's webbrowser module they would be the names of programs.
ifneq ($(filter yes no,$(BROWSER)),)
unexport BROWSER
endif

# Containers forbid Python to keep what it compiled. Hundreds of processes start here, each of which would do it again.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help lab test quick check bench trust lock

help:  ## this list
	@sed -n 's/^\([a-z]*\):.*##  */  make \1\t/p' $(MAKEFILE_LIST) | expand -t 16

lab: .venv/ready $(quiet)  ## JupyterLab at the first notebook; BROWSER=no on a headless machine, PORT=… for another port; Ctrl-C ends it all
	@echo "starting JupyterLab, which takes half a minute on a slow machine …"
	@$(bin)/python -m jupyterlab -y --allow-root --log-level=WARN --ServerApp.port=$(PORT) $(if $(filter no,$(BROWSER)),--no-browser) \
	  --LabApp.default_url=/lab/tree/notebooks/index.ipynb $(offline)

# ... and it asks nobody whether they want news: the question would lie over the widget.
$(quiet): | .venv/ready
	@$(bin)/jupyter labextension disable "@jupyterlab/apputils-extension:announcements" 2> .venv/lab.txt || { cat .venv/lab.txt; exit 1; }

test: .venv/ready  ## everything: tools, lint, types, import contracts, all tests
	@$(MAKE) --no-print-directory -j2 tools check collected
	@$(pytest) -n $(JOBS) $(pytest_files)

# Its parts, no doors: help does not list them.
.PHONY: tools collected
tools: .venv/ready
	@$(bin)/python tests/tools.py

# All workers begin with the same imports: what was imported once is compiled for all of them.
collected: .venv/ready
	@$(pytest) --collect-only -q > .venv/collected.txt || { cat .venv/collected.txt; exit 1; }

quick: check  ## under a minute: lint, types, import contracts, unit tests
	@$(pytest) -n $(JOBS) -q -m "not slow and not browser and not integration" --ignore tests/project

check: .venv/ready  ## lint, types, import contracts
	@$(bin)/ruff check
	@$(bin)/ruff format --check --quiet || { echo "not formatted: $(bin)/ruff format puts it right"; exit 1; }
	@$(bin)/mypy
	@$(bin)/lint-imports --no-cache > .venv/contracts.txt || { cat .venv/contracts.txt; exit 1; }

bench: .venv/ready  ## the performance figures beside their peers; ONLY=name for one, FULL=1 for whole minutes
	@$(bin)/python tests/tools.py benchmarks/tools.txt
	@$(bin)/python -m benchmarks $(ONLY)

trust: .venv/ready  ## the tests whose counts can grow, with their long counts
	@TRUST=1 $(pytest) -n $(JOBS) -m trust --timeout 3600

lock: .venv/ready  ## the lock again from pyproject.toml; versions stay unless they must move
	@$(bin)/uv pip compile pyproject.toml --all-extras --group dev --universal --no-annotate --no-header -q -o $(lock)

# Without ensurepip, which Debian keeps in a package of its own: the machine's pip brings uv, uv brings the rest.
.venv/ready: pyproject.toml $(lock)
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python 3.11 or newer is needed, this is %s: try make PYTHON=python3.12" % sys.version.split()[0])'
	@test -x $(bin)/python || { echo "making .venv"; $(PYTHON) -m venv --without-pip .venv; }
	@test -x $(bin)/uv || $(PYTHON) -m pip --python $(bin)/python install --quiet -c $(lock) uv
	@echo "installing what $(lock) names"
	@$(bin)/uv pip install --quiet --python $(bin)/python -c $(lock) -e '.[workshop]' --group dev
	@touch $@
