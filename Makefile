# Everything a person needs: `make help` lists it. Python 3.11 or newer, git and make are enough.

PYTHON ?= python3
# Not ?=: some shells export HOST as the name of the machine.
HOST = 127.0.0.1
PORT ?= 8000
DATA_DIR ?= data
# Public data sets to train and measure on; docs/reader.md names them.
DATA ?= ../shared/data
WORK ?= data/.training
START ?= cross-encoder.onnx
VERSION ?= new
# Stories that the first two passes ask, and those of each pass after them.
EARLIER := agreements encyclopaedia features handbooks letters local manuals news pages research
LATER := articles findings forces offices politics portraits relations relief summits towns twice web
LATEST := alliances embassies heritage machines markets nature stages statutes
LAST := calendars everyday figures lists people places reasons whether
SOME := everyday features
FOLLOWED := aid almanac chronicles deliveries desks doubles hearings lives neighbours programmes quarrels rescuers studies trials ventures visits
SETTLED := aid hearings
MISSED := boroughs cabinets calamities campaigns cooperations courts digests districts drills dynasties entries firms fronts garrisons gifts harvests households institutions laboratories lexicon milestones ministries sciences successions treaties voices voyages works
WIDENED := accounts causes controversies dispatches folders keepsakes lifesavers lineages partnerships proceedings regions seasons societies substances tallies tributes volumes
# What `make check` compares: the last run, and what was accepted.
RUN := eval/out/seeds.json
BASELINE := eval/baselines/seeds.json
# An extra package index for torch. On Linux the default index has builds with gigabytes of CUDA in them; for the CPU:
#   make serve TORCH_INDEX=https://download.pytorch.org/whl/cpu
TORCH_INDEX ?=

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install $(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX)) -c constraints.txt

export CITESPAN_DATA_DIR := $(DATA_DIR)
export CITESPAN_HOST := $(HOST)
export CITESPAN_PORT := $(PORT)
export HF_HUB_OFFLINE := 1

.DEFAULT_GOAL := help
.PHONY: help serve build ask eval eval-dialogues check accept bench bench-reader bench-retrieval bench-tuning bench-ingestion bench-streaming train wheel test torture lint format clean

help: ## List the targets.
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

serve: build ## Index seeds/ if it changed, and serve on http://HOST:PORT.
	@exec $(BIN)/citespan serve

build: $(VENV)/.installed ## Index seeds/ if it changed.
	@$(BIN)/citespan build seeds

ask: $(DATA_DIR)/default/store.sqlite ## Ask a question: make ask Q="How many fire trucks did the 2019 loan secure?"
	@$(BIN)/citespan ask "$$Q"

eval: $(VENV)/.installed-dev ## Print the table of figures of the questions about the seeds.
	@$(BIN)/citespan-eval run

eval-dialogues: $(VENV)/.installed-dev ## Print the figures of the dialogues about the seeds, with and without what was said before.
	@$(BIN)/citespan-eval run dialogues --ablate-history

check: $(VENV)/.installed-dev ## Ask the questions about the seeds, and fail if an answer is worse than in the baseline.
	@$(BIN)/citespan-eval run --out $(RUN)
	@$(BIN)/citespan-eval check $(RUN) --baseline $(BASELINE)

accept: ## Make the last run of "make check" the baseline.
	@$(BIN)/citespan-eval accept $(RUN) --baseline $(BASELINE)

bench: $(DATA_DIR)/default/store.sqlite $(VENV)/.installed-dev ## Measure latency and throughput, as ratios against a baseline of the same run.
	@$(BIN)/python -m eval.bench

bench-reader: $(DATA_DIR)/default/store.sqlite $(VENV)/.installed-dev ## Measure the reader on the data sets in DATA, the paragraph given.
	@$(BIN)/python -m eval.bench.reader $(DATA)

bench-tuning: $(VENV)/.installed-dev ## Compare settings of retrieval on questions to choose by, of the data sets in DATA, and long documents with short ones.
	@$(BIN)/python -m eval.bench.tuning $(DATA)
	@$(BIN)/python -m eval.bench.long $(DATA)

bench-retrieval: $(VENV)/.installed-dev ## Measure ranking, answers and silence on the data sets in DATA, over all their paragraphs.
	@$(BIN)/python -m eval.bench.retrieval $(DATA)

bench-ingestion: $(VENV)/.installed-dev ## Measure how fast the paragraphs in DATA come in, against the bare embedder, and what questions feel of it.
	@$(BIN)/python -m eval.bench.ingestion $(DATA)
	@$(BIN)/python -m eval.bench.interference $(DATA)

bench-streaming: $(DATA_DIR)/default/store.sqlite $(VENV)/.installed-dev ## Measure how soon a chat hears the answer, against the same question through /v1/ask.
	@$(BIN)/python -m eval.bench.streaming

train: $(VENV)/.installed-dev ## Train the reader on the data sets in DATA, from the cross-encoder in START.
	@$(BIN)/python -m training fit $(DATA) --work $(WORK) --pass deep --start $(START) --until 1560 --name deep $(EARLIER:%=--stories %)
	@$(BIN)/python -m training fit $(DATA) --work $(WORK) --pass deeper --start deep --until 920 --name deeper $(EARLIER:%=--stories %)
	@$(BIN)/python -m training fit $(DATA) --work $(WORK) --pass told --start deeper --name told $(LATER:%=--stories %)
	@$(BIN)/python -m training average --work $(WORK) --name mean deep told
	@$(BIN)/python -m training fit $(DATA) --work $(WORK) --pass retold --start mean --name retold $(LATEST:%=--stories %)
	@$(BIN)/python -m training average --work $(WORK) --name both mean retold
	@$(BIN)/python -m training fit $(DATA) --work $(WORK) --pass again --start both --name again $(LAST:%=--stories %)
	@$(BIN)/python -m training average --work $(WORK) --name all both again
	@$(BIN)/python -m training finish $(DATA) --work $(WORK) --name all --version misled -o $(WORK)/reader
	@$(BIN)/python -m training fit $(DATA) --work $(WORK) --pass misled --misleads $(WORK)/reader --start all --until 520 --name misled $(SOME:%=--stories %)
	@$(BIN)/python -m training average --work $(WORK) --name half all misled
	@$(BIN)/python -m training fit $(DATA) --work $(WORK) --pass followed --misleads $(WORK)/reader --start half --until 850 --name followed $(FOLLOWED:%=--stories %)
	@$(BIN)/python -m training average --work $(WORK) --name last half followed
	@$(BIN)/python -m training fit $(DATA) --work $(WORK) --pass settled --misleads $(WORK)/reader --start last --name settled $(SETTLED:%=--stories %)
	@$(BIN)/python -m training average --work $(WORK) --name end half settled
	@$(BIN)/python -m training finish $(DATA) --work $(WORK) --name end --version missed -o $(WORK)/later
	@$(BIN)/python -m training fit $(DATA) --work $(WORK) --pass missed --misleads $(WORK)/later --start end --until 900 --name missed $(MISSED:%=--stories %)
	@$(BIN)/python -m training average --work $(WORK) --name whole end missed
	@$(BIN)/python -m training fit $(DATA) --work $(WORK) --pass widened --misleads $(WORK)/later --start whole --name widened $(WIDENED:%=--stories %)
	@$(BIN)/python -m training average --work $(WORK) --name wide whole widened
	@$(BIN)/python -m training finish $(DATA) --work $(WORK) --name wide --version $(VERSION)

wheel: $(VENV)/bin/python ## Build the wheel, web files and the reader's weights inside, into dist/.
	rm -rf build dist
	@$(BIN)/python -m pip --disable-pip-version-check wheel --no-deps --wheel-dir dist .

test: $(VENV)/.installed-dev ## Run the tests.
	@$(BIN)/python -m pytest -n auto --dist loadfile --cov --cov-report=term --durations=15

torture: $(VENV)/.installed-dev ## Kill writers 1,000 times, flip bytes, change collections and damage files at random for much longer than the tests do.
	@TORTURE_KILLS=1000 TORTURE_FLIPS=5000 TORTURE_OPERATIONS=20000 TORTURE_FILES=200 $(BIN)/python -m pytest -q tests/test_index_crash.py tests/test_index_disk.py tests/test_index_machine.py tests/test_index_fuzz.py

lint: $(VENV)/.installed-dev ## Check style, types and the direction of imports.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.installed-dev ## Format the code.
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean: ## Remove the environment and everything that is built; documents in DATA_DIR stay.
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage

export Q

# Only where there is none: a running service keeps others from building, and not from asking.
$(DATA_DIR)/default/store.sqlite: | $(VENV)/.installed
	@$(BIN)/citespan build seeds

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed; name it: make PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) -e .
	@touch $@

$(VENV)/.installed-dev: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) -e '.[dev]'
	@touch $@ $(VENV)/.installed
