# Everything starts here: `make` lists the targets.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help setup pictures run test quick serve new-shop check doctor train bench bench-dialogues chaos fuzz backup restore lint validate nlu dialogues chat dead-letters lock

BOOT := $(or $(shell command -v python3),$(shell command -v python))
PY := .venv/bin/python
# Nothing of theirs is quick; to read them costs each worker of `make quick` half a second.
SLOW_ROOMS := journeys chaos dialogues nlu fuzz
# Compiled once, every later start of Rasa takes a third of the processor time.
unexport PYTHONDONTWRITEBYTECODE
export RASA_TELEMETRY_ENABLED := false
export TF_CPP_MIN_LOG_LEVEL := 3
export PYTHONWARNINGS := ignore
export SQLALCHEMY_SILENCE_UBER_WARNING := 1

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/\1\t\2/' | while IFS=$$'\t' read -r name what; do printf '  make %-14s %s\n' "$$name" "$$what"; done

setup:  ## Python 3.10 and the locked requirements into .venv (every other target does it)
	@test -n "$(BOOT)" || { echo "✗ No Python 3 on the PATH. Remedy: install python3."; exit 1; }
	@$(BOOT) launch/bootstrap.py

pictures: setup  ## also what reading customers' pictures needs (READ_PICTURES=on)
	@$(BOOT) launch/bootstrap.py pictures

run: setup  ## the whole assistant with a phone in the browser; Ctrl-C stops it; LLM=1: a stand-in for an LLM; FAILOVER=1: two Redis servers
	@exec $(if $(LLM),env LLM_PROVIDER=anthropic ANTHROPIC_API_KEY=stand-in ANTHROPIC_BASE_URL=http://127.0.0.1:$(or $(TWIN_PORT),8080)) $(PY) -m launch run $(if $(FAILOVER),failover)

test: setup  ## every test: lint, pytest, rasa data validate, rasa test
	@$(PY) -m launch test

quick: setup  ## the tests that take a second at most, without servers, browser, model or PostgreSQL
	@$(PY) -m pytest -n 2 --dist loadfile --hypothesis-profile=quick $(SLOW_ROOMS:%=--ignore=tests/%) -m "not journey and not browser and not model and not chaos and not marathon and not slow and not postgres"

serve: setup  ## the assistant alone, configured by the environment and .env
	@exec $(PY) -m launch serve

new-shop: setup  ## begin the folder of a shop: make new-shop DIR=../oak
	@$(PY) -m launch.new_shop "$(DIR)"

check: setup  ## everything that can be wrong with the shop in SHOP_DIR and its orders; ARGS=--json for machines
	@$(PY) -m workbench check $(ARGS)

doctor: setup  ## what make serve stands on: accounts, webhook, clock, disk, Redis, databases, model, packages; ARGS=--json
	@$(PY) -m workbench doctor $(ARGS)

train: setup  ## train the model, when data/, domain.yml or config.yml changed
	@$(PY) -m launch train

bench: setup  ## benchmarks, as ratios against stock Rasa in the same run
	@$(PY) -m launch train && $(PY) -m benchmarks

bench-dialogues: setup  ## dialogues that argue, k times each while processes die: pass^1, pass^4, leaks; ARGS="-k 2 --dialogues 8"
	@$(PY) -m launch train && $(PY) -m tests.bench_dialogues $(ARGS)

chaos: setup  ## kill everything at random and count what was lost (nothing)
	@$(PY) -m launch train && $(PY) -m tests.chaos && $(PY) -m tests.chaos --sentinels && $(PY) -m tests.chaos --cluster && $(PY) -m pytest -m marathon

fuzz: setup  ## an hour of wild input for everything that others write to; ARGS="--minutes 5"
	@$(PY) -m tests.fuzz $(ARGS)

backup: setup  ## what STATE_DIR holds as one file, while the assistant is stopped: make backup FILE=monday.tar.gz
	@$(PY) -m workbench.doctor.backup make "$(FILE)"

restore: setup  ## put a backup in the place of STATE_DIR's content, which is kept beside it: make restore FILE=monday.tar.gz
	@$(PY) -m workbench.doctor.backup restore "$(FILE)"

lint: setup  ## ruff and mypy
	@$(PY) -m ruff check . && $(PY) -m mypy

validate: setup  ## mistakes in policies and phrases, with file and remedy
	@$(PY) -m workbench validate --files && $(PY) -m launch train && $(PY) -m actions.knowledge.retrieval.coverage && $(PY) -m workbench validate

nlu: setup  ## how well held-out phrases are understood: terminal and HTML
	@$(PY) -m launch train && $(PY) -m workbench nlu

dialogues: setup  ## natural dialogues, by kind: how many are right; LLM=1 without and with the configured LLM, MISTAKES=1 shows them
	@$(PY) -m launch train && $(PY) -m workbench.dialogues $(if $(LLM),--llm) $(if $(MISTAKES),--mistakes) $(FILES)

chat: setup  ## talk to the assistant in the terminal and see what it thinks
	@$(PY) -m launch train && $(PY) -m workbench chat

dead-letters: setup  ## list the messages that were set aside; ARGS=replay puts them back
	@$(PY) -m connectors.message_bus.dead_letters $(or $(ARGS),list)

lock: setup  ## lock the requirements anew after editing requirements*.in
	@$(PY) -m launch lock
