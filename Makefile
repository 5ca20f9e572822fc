# Two commands for a fresh machine: `make demo` and `make test`. Both set up what they need, once.
SHELL := /bin/bash
PYTHON ?= python3.11
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.hemx-ready
# Where pip finds the CPU build of torch, if its default source would bring a CUDA build:
# make test TORCH_ARGS="--index-url <index of CPU wheels>"
TORCH_ARGS ?=

.PHONY: demo test lint screenshots format system android-tools gl-libraries clean

demo: $(STAMP)
	$(BIN)/hemx phantom --out demo/study --seed 7 --location putamen --volume-ml 28 --markers hypodensity,irregular
	$(BIN)/hemx triage demo/study --out demo/result

test: $(STAMP) android-tools gl-libraries
	$(BIN)/python -m pytest -q -n auto --dist loadfile

# Every screen of the app in both languages, drawn without a display from synthetic studies.
screenshots: $(STAMP) gl-libraries
	$(BIN)/python -m benchmarks screenshots --out docs/screenshots

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# torch first: executorch declares none, and a plain resolve could take another version.
$(STAMP): pyproject.toml
	@$(MAKE) --no-print-directory system
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=24" "setuptools>=77" wheel
	$(BIN)/python -m pip install --quiet $(TORCH_ARGS) "torch==2.13.0"
	$(BIN)/python -m pip install --quiet -e ".[dev]"
	touch $(STAMP)

# The only system library is libstdc++ (torch, OpenCV, executorch); slim images may lack it, and venv.
system:
	@if command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
	  missing=""; \
	  for package in libstdc++6 libgomp1; do \
	    dpkg -s $$package >/dev/null 2>&1 || missing="$$missing $$package"; \
	  done; \
	  $(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || missing="$$missing python3.11-venv"; \
	  if [ -n "$$missing" ]; then apt-get update -qq && apt-get install -y -qq $$missing; fi; \
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
