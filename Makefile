# Works on a machine with Bun, or with only Node and npm: then the pinned Bun is put into .bun/ of this folder.
# Nothing is installed on the system.

BUN_VERSION := $(shell sed -n 's/.*"bun": "\([0-9.]*\)".*/\1/p' package.json | head -n 1)
LOCAL_BUN := $(CURDIR)/.bun/node_modules/.bin/bun
BUN := $(shell command -v bun 2>/dev/null || echo '$(LOCAL_BUN)')

# The bundle is compiled to bytecode ahead of time and split, so that it starts fast and a process loads only its part.
# No minification: Elysia reads the text of its handlers. No .env and no bunfig.toml of the folder it is started in.
COMPILE := build --compile --bytecode --format=esm --splitting \
	--no-compile-autoload-bunfig --no-compile-autoload-dotenv src/main.ts
TARGETS := linux-x64 linux-arm64 linux-x64-musl linux-arm64-musl darwin-x64 darwin-arm64 windows-x64
SOURCES := $(shell find src -type f) package.json bun.lock

.PHONY: run test build release openapi bench clean install

# The demo provider is on, so that the lines it prints work without any key.
run: build
	@dist/postern demo

build: dist/postern

dist/postern: $(SOURCES) Makefile | install
	@mkdir -p dist
	$(BUN) $(COMPILE) --outfile dist/postern

test: install
	$(BUN) run lint
	$(BUN) run types
	@$(MAKE) --no-print-directory openapi-unchanged
	@$(MAKE) --no-print-directory build
	$(BUN) test --timeout 30000

.PHONY: openapi-unchanged
openapi-unchanged: install
	@mkdir -p dist/openapi
	$(BUN) src/main.ts openapi --out dist/openapi/openapi.json
	$(BUN) src/main.ts openapi --yaml --out dist/openapi/openapi.yaml
	@diff -q dist/openapi/openapi.json openapi/openapi.json && diff -q dist/openapi/openapi.yaml openapi/openapi.yaml \
		|| { echo 'openapi/ is not what the routes say: run make openapi'; exit 1; }

openapi: install
	$(BUN) src/main.ts openapi --out openapi/openapi.json
	$(BUN) src/main.ts openapi --yaml --out openapi/openapi.yaml

# Executables for every target, and their checksums. Bun for the other targets comes from its npm packages.
release: install
	@rm -rf dist/release && mkdir -p dist/release
	@for target in $(TARGETS); do $(MAKE) --no-print-directory release-$$target || exit 1; done
	@cd dist/release && { command -v sha256sum >/dev/null 2>&1 && sum=sha256sum || sum='shasum -a 256'; \
	  $$sum postern-* > SHA256SUMS && cat SHA256SUMS; }

release-%: install
	@package=@oven/bun-$(subst arm64,aarch64,$*); home=.bun/targets/$*-$(BUN_VERSION); out=dist/release/postern-$*; \
	bun=$$home/node_modules/$$package/bin/bun; \
	case $* in windows-*) bun=$$bun.exe; out=$$out.exe ;; esac; \
	if [ ! -e $$bun ]; then \
	  mkdir -p $$home dist/release && echo '{}' > $$home/package.json && \
	  $(BUN) add --silent --cwd $$home --os='*' --cpu='*' $$package@$(BUN_VERSION) || exit 1; \
	fi; \
	$(BUN) $(COMPILE) --target=bun-$* --compile-executable-path=$$bun --outfile $$out

bench: build
	$(BUN) test/bench/bench.ts $(BENCH)

clean:
	rm -rf dist .bun/targets test/clients/generated

install: node_modules/.installed

node_modules/.installed: package.json bun.lock | bun
	$(BUN) install --frozen-lockfile
	@touch $@

.PHONY: bun
bun:
	@command -v $(BUN) >/dev/null 2>&1 || { echo "no bun here: putting $(BUN_VERSION) into .bun/"; \
	  npm install --silent --no-save --no-package-lock --prefix .bun bun@$(BUN_VERSION); }
	@have=$$($(BUN) --version); [ "$$have" = "$(BUN_VERSION)" ] || echo "note: bun $$have is here, the pinned one is $(BUN_VERSION)"
