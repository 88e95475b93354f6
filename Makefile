# The commands people come for; meson does the work. `make help` lists them.
BUILD ?= build
.PHONY: all help deps
all: $(BUILD)/build.ninja
	@ninja -C $(BUILD)
$(BUILD)/build.ninja: | deps
	@meson setup $(BUILD) >/dev/null
deps:
	@tools/deps.sh build
help:
	@echo "make | deps"
