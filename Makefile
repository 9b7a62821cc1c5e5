# Two commands: `make inspect` and `make test`. Each first sets up what it needs in .venv; if nothing is missing, that takes under two seconds.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: help setup inspect bench test lint bench-camera clean

help:  ## show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/:/' | column -t -s ':'

setup:  ## set up the virtual environment, ROS 2 and the interfaces
	@$(PYTHON) tools/setup.py

inspect: setup  ## inspect an object; e.g. ARGS="--category fan --defect stuck --seed 7"
	@$(BIN)/physad inspect $(ARGS); status=$$?; case $$status in 0|3|4) ;; *) exit $$status;; esac

bench:  ## train and test methods on a Phys-AD tree; e.g. ARGS="data --out benchmark --method rules --method memae"
	@$(PYTHON) tools/setup.py --learning
	@$(BIN)/physad bench $(ARGS)

test:  ## run the linter, the type checker and all tests
	@$(PYTHON) tools/setup.py --dev
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest $(ARGS)

lint:  ## run the linter and the type checker only
	@$(PYTHON) tools/setup.py --dev
	$(BIN)/ruff check .
	$(BIN)/mypy

bench-camera: setup  ## measure lost frames and latency at 1080p and 60 Hz
	@$(BIN)/physad bench-camera $(ARGS)

clean:  ## remove everything that set-up made
	rm -rf .venv .build .cache build install log
