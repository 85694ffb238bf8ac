# make demo    the main job on a fresh machine, light runtime only
# make app     the teacher's app in the browser, with a sample class one click away
# make test    install everything, check style, types and security, run the tests (TORCH=cpu: without CUDA, GBs less)
# make benchmark   speed, names and the loop written by hand, measured here; tables in experiments/results/
# make reproduce   the training recipe, eight hours; continues where it stopped (ARGS=dry_run=true shows what is left)
# make browser  the tests in a real browser
# make docs    the documentation site, into site/; fails on a broken link
# make sbom    what an installation holds: CycloneDX in outputs/sbom.json, licences in docs/reference/licences.md
# make help    this text

PYTHON ?= python3
VENV := .venv
ifeq ($(OS),Windows_NT)
BIN := $(VENV)/Scripts
else
BIN := $(VENV)/bin
endif
# By default torch comes from the index that uv is set to; TORCH=cpu or TORCH=auto takes PyTorch's own index.
TORCH_BACKEND = $(if $(TORCH),--torch-backend $(TORCH))
UV = $(shell command -v uv 2>/dev/null || echo $(PYTHON) -m uv)

.PHONY: demo app test install lint types security unit coverage sbom browser docs benchmark reproduce help clean
.DEFAULT_GOAL := help

help:
	@sed -n 's/^# \(make .*\)/\1/p' Makefile

demo: $(VENV)/light.stamp
	@$(BIN)/python -m fewshot demo

app: $(VENV)/app.stamp
	@$(BIN)/python -m fewshot app

test: lint types security unit

install: $(VENV)/full.stamp

lint: $(VENV)/full.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/full.stamp
	$(BIN)/mypy

# What bandit finds is mended, or explained where it stands by "nosec" and a reason.
security: $(VENV)/full.stamp
	$(BIN)/bandit --quiet --recursive --configfile pyproject.toml fewshot

# The list of parts (CycloneDX) covers everything in .venv; the page of licences only what runs.
sbom: $(VENV)/full.stamp
	@mkdir -p outputs
	$(BIN)/cyclonedx-py environment --output-reproducible --pyproject pyproject.toml --output-file outputs/sbom.json $(BIN)/python
	$(BIN)/python .ci/licences.py docs/reference/licences.md
	@echo "Parts: outputs/sbom.json. Licences: docs/reference/licences.md"

unit: $(VENV)/full.stamp
	$(BIN)/python -m pytest -n 2 --dist loadfile --ignore tests/browser

# The same with the lines that no test runs: a quarter slower.
coverage: $(VENV)/full.stamp
	$(BIN)/python -m pytest -n 2 --dist loadfile --ignore tests/browser --cov --cov-report=term:skip-covered

# Ten minutes with a real browser (Debian: chromium xvfb); skipped, with the reason, where there is none.
browser: $(VENV)/full.stamp
	$(BIN)/python -m pytest tests/browser

# zensical's strict mode checks links between pages; the second line checks pictures, HTML, and that nothing is loaded
# from the internet.
docs: $(VENV)/docs.stamp
	$(BIN)/zensical build --strict --clean
	$(BIN)/python .ci/check_site.py site

benchmark: $(VENV)/full.stamp
	$(BIN)/python experiments/benchmark.py

# LiteRT sees the blendshapes of the training faces; nothing else needs it.
reproduce: $(VENV)/full.stamp
	@$(BIN)/python -c "import ai_edge_litert" 2>/dev/null || \
	  $(UV) pip install --quiet --python $(BIN)/python --constraint constraints.txt ai-edge-litert
	$(BIN)/python experiments/reproduce.py $(ARGS)

# Compiled once here: where PYTHONDONTWRITEBYTECODE is set, every start would compile all modules again (a second).
COMPILED = $(BIN)/python -m compileall -q -j 2 fewshot >/dev/null || true

# uv, because plain pip resolves torch and torchvision to builds that do not fit each other on some machines.
$(VENV)/python.stamp:
	@command -v uv >/dev/null 2>&1 || $(PYTHON) -m uv --version >/dev/null 2>&1 || $(PYTHON) -m pip install --quiet uv \
	  || { echo "uv is missing and pip cannot install it. Install uv, then run make again."; exit 1; }
	@test -x $(BIN)/python || $(UV) venv --quiet --python $(PYTHON) $(VENV)
	@touch $@

$(VENV)/light.stamp: $(VENV)/python.stamp pyproject.toml constraints.txt
	@echo "Installing the light runtime into $(VENV) ..."
	@test -f $(VENV)/full.stamp || \
	  $(UV) pip install --quiet --compile-bytecode --python $(BIN)/python --constraint constraints.txt --editable ".[heif]"
	@$(BIN)/python -c "import cv2" 2>/dev/null || { \
	  echo "OpenCV misses system libraries. On Debian or Ubuntu: sudo apt-get install -y libgl1 libglib2.0-0"; exit 1; }
	@$(COMPILED)
	@touch $@

$(VENV)/app.stamp: $(VENV)/light.stamp
	@echo "Installing the app into $(VENV) ..."
	@test -f $(VENV)/full.stamp || \
	  $(UV) pip install --quiet --compile-bytecode --python $(BIN)/python --constraint constraints.txt \
	    --editable ".[heif,openvino,video,app]"
	@$(COMPILED)
	@touch $@

$(VENV)/full.stamp: $(VENV)/python.stamp pyproject.toml constraints.txt
	@echo "Installing everything into $(VENV) ..."
	@$(UV) pip install --quiet --compile-bytecode --python $(BIN)/python $(TORCH_BACKEND) --constraint constraints.txt \
	  --group dev --editable ".[train,heif,openvino,video,app,labels,postgres]"
	@$(BIN)/python -c "import cv2" 2>/dev/null || { \
	  echo "OpenCV misses system libraries. On Debian or Ubuntu: sudo apt-get install -y libgl1 libglib2.0-0"; exit 1; }
	@$(COMPILED)
	@touch $@

# The reference is made from the source, so the package itself need not be installed.
$(VENV)/docs.stamp: $(VENV)/python.stamp pyproject.toml constraints.txt
	@echo "Installing what builds the documentation into $(VENV) ..."
	@$(UV) pip install --quiet --python $(BIN)/python --constraint constraints.txt --group docs
	@touch $@

clean:
	rm -rf $(VENV) site build outputs *.egg-info .pytest_cache .mypy_cache .ruff_cache .coverage
