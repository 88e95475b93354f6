# The commands people come for; meson does the work. `make help` lists them.
BUILD ?= build
PREFIX ?= /usr/local
VENV := .deps/venv/bin/python

.PHONY: all deps help demo python test test-peers wheel bench kernels install format tidy clean

all: $(BUILD)/build.ninja ## build $(BUILD)/pomona, installing what is missing
	@ninja -C $(BUILD) --quiet
	@echo "$(BUILD)/pomona is ready: try  make demo  or  $(BUILD)/pomona help"

$(BUILD)/build.ninja:
	@tools/deps.sh build
	@meson setup $(BUILD) -Dtests=false >$(BUILD).log || { cat $(BUILD).log; exit 1; }
	@rm -f $(BUILD).log

deps: ## install what the build needs, and make efficientnet-lite0.onnx
	@tools/deps.sh build

help: ## list the commands
	@sed -n 's/^\([a-z-]*\):.*## /make \1	/p' Makefile | expand -t 18

demo: all ## real photographs -> features, a 2-D PCA and a summary, in out/demo
	@tools/deps.sh demo
	@tools/demo.sh $(BUILD)/pomona out/demo

test: all ## every quick test, with sanitizers
	@tools/deps.sh test
	@$(VENV) tests/run.py quick

test-peers: all ## the tests that need TensorFlow, Spark or ONNX Runtime
	@tools/deps.sh test
	@tools/deps.sh peers
	@$(VENV) tests/run.py peers

python: all ## the Python package in $(BUILD)/site: PYTHONPATH=$(BUILD)/site python3 -c 'import pomona'
	@tools/deps.sh python
	@tools/stage_python.sh $(BUILD) $(CURDIR)/$(VENV)

wheel: ## a wheel of the Python package for every Linux with glibc 2.28, in dist/; ARGS=aarch64 for that machine
	@tools/deps.sh build
	@tools/wheel.sh dist $(ARGS)

bench: all ## speed beside the peers, as ratios, and the fraction of the hardware limit
	@tools/deps.sh peers
	@tools/deps.sh bench
	@.deps/peers/bin/python bench/bench.py $(ARGS)

kernels: all ## speed of each kernel on the layers of the networks, and the fraction of the hardware limit
	@meson configure $(BUILD) -Dtests=true
	@ninja -C $(BUILD) --quiet tests/net/kernelcheck/kernelcheck
	@$(BUILD)/tests/net/kernelcheck/kernelcheck --bench

install: all ## install under PREFIX (default /usr/local)
	@meson configure $(BUILD) --prefix=$(PREFIX)
	@meson install -C $(BUILD) --quiet

format: ## lay the code out by .clang-format
	@git ls-files '*.c' '*.h' '*.inc' | xargs clang-format-16 -i

tidy: $(BUILD)/build.ninja ## clang-tidy over what this machine compiles
	@git ls-files 'src/*.c' 'cli/*.c' | grep -v _neon | xargs -P 2 -n 4 clang-tidy-16 -p $(BUILD) --quiet

clean: ## remove what was built, keep what was installed
	@rm -rf build build-asan build-tsan out
