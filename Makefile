# `make` alone lists the targets.
PYTHON := .venv/bin/python
WORKERS := -n auto --maxprocesses 4 --dist worksteal
.DEFAULT_GOAL := help
.PHONY: help setup demo test test-all coverage bench beam lint format docs lock clean

help: ## List these targets
	@sed -n 's/^\([a-z][a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 10

setup: ## Build .venv (Python 3.11) from the hashed lock; CUDA=1 adds NVIDIA's libraries, CUDA=0 drops them
	@scripts/set_up.sh $(if $(filter 1,$(CUDA)),--cuda) $(if $(filter 0,$(CUDA)),--no-cuda)

demo: setup ## Train a TF-Hub classifier on real images and show the result (a minute)
	@$(PYTHON) -m demo

# The unit tests run by themselves: only so can they show that they need no TensorFlow.
test: setup ## Run the quick tests: units, graphs, and one run of each mode
	@$(PYTHON) -m pytest $(WORKERS) -m unit
	@$(PYTHON) -m pytest $(WORKERS) -m 'graph or smoke'

test-all: setup ## Run all tests, with trainings, real processes, signals and kills
	@$(PYTHON) -m pytest $(WORKERS) -m unit
	@$(PYTHON) -m pytest $(WORKERS) -m 'not unit'

coverage: setup ## Run the quick tests, and hold each room to its share of tested lines
	@$(PYTHON) -m pytest $(WORKERS) -m unit --cov --cov-report=
	@$(PYTHON) -m pytest $(WORKERS) -m 'graph or smoke' --cov --cov-append --cov-report=
	@$(PYTHON) -m scripts.coverage_floors

bench: setup ## Measure conversion, input pipeline, training, devices and waiting (PHOTOS=DIR, DATASET=DIR, MODULE=M take yours)
	@$(PYTHON) -m benchmarks.conversion $(if $(PHOTOS),--photos $(PHOTOS))
	@$(PYTHON) -m benchmarks.input_pipeline $(if $(PHOTOS),--photos $(PHOTOS))
	@$(PYTHON) -m benchmarks.training $(if $(DATASET),--photos $(DATASET)) $(if $(MODULE),--module $(MODULE))
	@$(PYTHON) -m benchmarks.distribution --rounds 1 $(if $(DATASET),--photos $(DATASET)) $(if $(MODULE),--module $(MODULE))
	@$(PYTHON) -m benchmarks.latency

beam: ## Build .venv-beam, to convert on Apache Beam (see extras/beam/README.md)
	@scripts/set_up.sh --beam

lint: setup ## Check style, format and types
	@$(PYTHON) -m ruff check
	@$(PYTHON) -m ruff format --check
	@$(PYTHON) -m mypy run.py convert_dataset.py library project $(wildcard extras)

format: setup ## Rewrite the code in the house format
	@$(PYTHON) -m ruff check --fix
	@$(PYTHON) -m ruff format

docs: setup ## Write docs/options.md anew from the declarations of all options
	@$(PYTHON) -m scripts.options_page

lock: setup ## Pin and hash the packages anew from the requirements*.in files
	@scripts/lock.sh

clean: ## Remove .venv, .venv-beam, the installer, caches and the demo's output (dataset/ and other runs stay)
	rm -rf .venv .venv-beam .tools out/demo .pytest_cache .ruff_cache .mypy_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
