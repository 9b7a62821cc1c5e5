# Two commands: `make inspect` and `make test`. Each sets up all it needs in .venv first, which takes nothing when nothing is to do.
PYTHON ?= python3
BIN := .venv/bin
# .venv has its own ROS 2, also in a shell where another one is sourced
unexport AMENT_PREFIX_PATH CMAKE_PREFIX_PATH PYTHONPATH

.PHONY: help setup inspect bench test lint format bench-camera clean

help:  ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/:/' | column -t -s ':'

setup:  ## the virtual environment, ROS 2 and the interfaces
	@$(PYTHON) tools/setup.py

inspect: setup  ## inspect a specimen; ARGS="--category fan --defect stuck --seed 7"
	@$(BIN)/physad inspect $(ARGS); status=$$?; case $$status in 0|3|4) ;; *) exit $$status;; esac

bench:  ## train and test methods on a tree; ARGS="data --out benchmark --method rules --method memae"
	@$(PYTHON) tools/setup.py --learning
	@$(BIN)/physad bench $(ARGS)

test:  ## lint, types and all tests
	@$(PYTHON) tools/setup.py --dev
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest $(ARGS)

lint:  ## lint and types only
	@$(PYTHON) tools/setup.py --dev
	$(BIN)/ruff check .
	$(BIN)/mypy

bench-camera: setup  ## frames lost and latency of 1080p60 through recorder and detector
	@$(BIN)/physad bench-camera $(ARGS)

clean:  ## remove what set-up made
	rm -rf .venv .build build install log
