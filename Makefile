# muster: what a newcomer needs is `make demo` and `make test`; `make help` lists the rest.
GO      ?= go
RACE    := $(shell command -v $${CC:-gcc} >/dev/null 2>&1 && [ "$$($(GO) env CGO_ENABLED)" = 1 ] && echo -race)
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
export GOFLAGS += -mod=readonly

.DEFAULT_GOAL := help
.PHONY: help build demo test check e2e bench fuzz vet docs release

help: ## lists the targets
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## builds bin/muster
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-s -w -X main.version=$(VERSION)' -o bin/muster ./cmd/muster

demo: build ## backs up 50 simulated devices, changes some, backs up again, shows a diff
	bin/muster demo

test: ## runs the tests: no root, no network but loopback; with the race detector where a C compiler is
	@[ -n "$(RACE)" ] || echo 'make test: no C compiler (or cgo is off): testing without the race detector'
	$(GO) test $(RACE) ./...

check: vet test ## vets for every system and runs the tests
	@bad=$$(gofmt -l $$(git ls-files '*.go')); [ -z "$$bad" ] || { echo "not gofmt-ed: $$bad"; exit 1; }
	$(GO) mod verify

vet: ## builds and vets for linux, darwin and windows
	$(GO) vet ./...
	GOOS=linux GOARCH=arm64 CGO_ENABLED=0 $(GO) build ./...
	GOOS=darwin GOARCH=arm64 CGO_ENABLED=0 $(GO) vet ./...
	GOOS=windows GOARCH=amd64 CGO_ENABLED=0 $(GO) vet ./...

e2e: build ## backs up real servers in network namespaces: Linux, root and e2e/packages.txt
	$(GO) test -tags e2e -count=1 -timeout 30m -v ./e2e

bench: ## measures beside the peers, as ratios (docs/benchmarks.md)
	cd bench && $(GO) test -run '^$$' -bench Ratio -cpu 2 ./task
	cd bench && $(GO) test -run '^$$' -bench . -benchtime 1x -timeout 30m ./session ./backup ./store ./ping ./scan ./monitor ./ise ./syslog

fuzz: ## runs each fuzz target for FUZZTIME (default 30s)
	@for pkg in $$(grep -rl --include='*_test.go' '^func Fuzz' . | xargs -n1 dirname | sort -u); do \
	  for f in $$(grep -ho '^func Fuzz[A-Za-z0-9_]*' $$pkg/*_test.go | cut -d' ' -f2); do \
	    echo "$$pkg $$f"; $(GO) test -run '^$$' -fuzz "^$$f$$" -fuzztime $${FUZZTIME:-30s} $$pkg || exit 1; \
	  done; done

docs: ## refreshes what is generated in docs/
	$(GO) test ./cmd/muster -run Generated -update

release: ## builds dist/: an archive for each system, and their checksums (docs/RELEASE.md)
	rm -rf dist
	$(GO) run ./internal/release -go '$(GO)' -version '$(VERSION)' -out dist
