# Commands for a fresh machine. Each sets up what it needs, once, in $(VENV):
#   make demo    a synthetic study and its triage; installs what triage imports and nothing else
#   make test    the tests, without those marked slow
#   make lint, make docs, make mutants, make robustness, make screenshots
#   make dev     everything that a developer needs; the other commands then use it
SHELL := /bin/bash
PYTHON ?= python3.11
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet
# Where pip finds the CPU build of torch, if its default source would bring a CUDA build:
# make test TORCH_ARGS="--index-url <index of CPU wheels>"
TORCH_ARGS ?=

# torch and executorch, as the extra `runtime` pins them.
PINS := $(PYTHON) -c 'import tomllib; extras = tomllib.load(open("pyproject.toml", "rb")); \
  print(*extras["project"]["optional-dependencies"]["runtime"])'

EXTRAS_test := test,android
EXTRAS_lint := test,lint
EXTRAS_docs := docs
EXTRAS_mutants := test,mutants
EXTRAS_screenshots := test
EXTRAS_dev := dev
# The stamp of an environment: that of `make dev` serves every command.
environment = $(or $(wildcard $(VENV)/.hemx-dev),$(VENV)/.hemx-$(1))

.PHONY: demo test slow lint docs mutants robustness screenshots format dev system android-tools gl-libraries clean

demo: $(call environment,runtime)
	$(BIN)/hemx phantom --out demo/study --seed 7 --location putamen --volume-ml 28 --markers hypodensity,irregular
	$(BIN)/hemx triage demo/study --out demo/result

test: $(call environment,test) android-tools gl-libraries
	$(BIN)/python -m pytest -q -n auto --dist loadfile -m "not slow"

# Tests of what measures or trains, over 5 seconds each.
slow: $(call environment,test) gl-libraries
	$(BIN)/python -m pytest -q -n auto --dist loadfile -m slow

# Every screen of the app in both languages, drawn without a display from synthetic studies.
screenshots: $(call environment,screenshots) gl-libraries
	$(BIN)/python -m benchmarks screenshots --out docs/screenshots

# mypy reads the types of what the code imports, so its environment is that of the tests.
lint: $(call environment,lint)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python .ci/excepted
	$(BIN)/lint-imports

docs: $(call environment,docs)
	$(BIN)/mkdocs build --quiet --strict --config-file .mkdocs.yml --site-dir build/site

# Breaks the measuring code in a few thousand ways and counts what the tests notice; an hour.
mutants: $(call environment,mutants) gl-libraries
	$(BIN)/python -m tests.mutants

# 2,000 damaged inputs; the first untyped error, hang or silent change ends it.
robustness: $(call environment,test)
	$(BIN)/python -m benchmarks robustness --short

format: $(call environment,lint)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

dev: $(VENV)/.hemx-dev

# Triage imports neither torch's nor executorch's own dependencies (sympy, pandas, scikit-learn, ...),
# which are as large as torch; `pip check` names them, and `pip install "hemx[runtime]"` brings them.
# A CUDA build of torch does need its libraries: then the extra is installed as it is.
$(VENV)/.hemx-runtime: pyproject.toml | $(BIN)/python
	$(PIP) --no-compile --no-deps $(TORCH_ARGS) $$($(PINS))
	$(PIP) --no-compile --no-warn-conflicts -e .
	$(BIN)/python -c 'import torch' || $(PIP) $(TORCH_ARGS) -e ".[runtime]"
	touch $@

# torch first: executorch declares none, and a plain resolve could take another version.
$(VENV)/.hemx-%: pyproject.toml | $(BIN)/python
	$(PIP) --upgrade "pip>=24" "setuptools>=77" wheel
	$(if $(filter docs,$*),,$(PIP) $(TORCH_ARGS) $$($(PINS)))
	$(PIP) -e ".[$(EXTRAS_$*)]"
	touch $@

$(BIN)/python:
	@$(MAKE) --no-print-directory system
	$(PYTHON) -m venv $(VENV)

# The only system library is libstdc++ (torch, OpenCV, executorch); slim images may lack it, and venv.
system:
	@if command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
	  missing=""; \
	  for package in libstdc++6 libgomp1; do \
	    dpkg -s $$package >/dev/null 2>&1 || missing="$$missing $$package"; \
	  done; \
	  $(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || missing="$$missing python3.11-venv"; \
	  if [ -n "$$missing" ]; then apt-get update -qq && apt-get install -y -qq --no-install-recommends $$missing; fi; \
	fi

# The tests of the Android app compile Java and read a manifest; without these tools they are skipped.
android-tools:
	@if command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
	  missing=""; \
	  command -v javac >/dev/null || missing="$$missing default-jdk-headless"; \
	  command -v aapt >/dev/null || missing="$$missing aapt"; \
	  test -f /usr/share/android-framework-res/framework-res.apk || missing="$$missing android-framework-res"; \
	  if [ -n "$$missing" ]; then apt-get update -qq && apt-get install -y -qq $$missing \
	    || echo "not installed:$$missing; the tests that need them are skipped" >&2; fi; \
	fi

# The app's tests draw into a window without a screen: Mesa renders it in software.
gl-libraries:
	@if command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
	  missing=""; \
	  for package in libgl1-mesa-dri libegl1 libgl1 libgles2 libmtdev1; do \
	    dpkg -s $$package >/dev/null 2>&1 || missing="$$missing $$package"; \
	  done; \
	  if [ -n "$$missing" ]; then apt-get update -qq && apt-get install -y -qq $$missing \
	    || echo "not installed:$$missing; the tests that need them are skipped" >&2; fi; \
	fi

clean:
	rm -rf $(VENV) demo build dist *.egg-info
