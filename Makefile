# `make` alone lists what there is. Nothing has to be installed first but Go:
# the tools are pinned in .ci/tools/go.mod. The race detector of `make check`
# wants a C compiler.

FRAMEWORK ?= gin
ARGS      ?=
FUZZTIME  ?= 30s
FUZZ      ?= .
BENCH     ?= .
MODE      ?= full
RAW       ?= .build/bench/last
MINCOVER  ?= 85
FACTOR    ?= 8
VERSION   ?=
DRY       ?=
CHECKED   ?=

# With -trimpath nothing that is built names the folder of the clone, so that a new
# clone finds in the build cache what another has built.
export GOFLAGS := $(shell go env GOFLAGS 2>/dev/null) -trimpath

.PHONY: help demo run test test-slow-machine check long lint fuzz bench bench-report fleet cover consumer release site picture fmt tidy

help: ## list the targets
	@echo 'usage: make TARGET [NAME=value]'
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-18s %s\n", $$1, $$2 }' Makefile

demo: ## start the example servers, send every scenario, print the table
	go run ./examples/demo

run: ## serve the example on 127.0.0.1:8080 [FRAMEWORK=gin|fiber|fiber3|echo|echo5|nethttp ARGS=]
	go run ./examples/$(FRAMEWORK) $(ARGS)

test: ## test every package; no browser, no proxy, no long comparison
	.ci/check test

test-slow-machine: ## make test with every time limit of tests multiplied [FACTOR=8]
	SALLYPORT_TIME_FACTOR='$(FACTOR)' .ci/check test

check: lint ## everything: lint, all tests, the race detector, GOWORK=off, make consumer
	.ci/check full
	.ci/check race
	.ci/check vuln
	$(MAKE) --no-print-directory consumer

long: ## what takes long: all tests with the race detector, fuzzing, a short benchmark [FUZZTIME=30s]
	SALLYPORT_TIME_FACTOR='$(FACTOR)' .ci/check long
	.ci/fuzz '$(FUZZTIME)' '$(FUZZ)'
	.ci/bench short

lint: ## gofmt, go vet, staticcheck and go mod tidy -diff for every module
	.ci/check lint

fuzz: ## run every fuzz target, one by one [FUZZTIME=30s FUZZ=regexp]
	.ci/fuzz '$(FUZZTIME)' '$(FUZZ)'

bench: ## measure beside other libraries, into .build/bench [MODE=full|short BENCH=regexp]
	.ci/bench '$(MODE)' '$(BENCH)'

bench-report: ## write docs/performance.md from what make bench measured, details beside it [RAW=folder]
	go run ./examples/bench/report -raw '$(RAW)' -out docs

fleet: ## write docs/fleet.md from 20 processes on real stores, in a quarter of an hour [ARGS=]
	go test ./.ci/checks/fleet -count=1 -timeout 0 -v -run '^Test(Figures|.*Herd)$$' -page '$(CURDIR)/docs/fleet.md' $(ARGS)

cover: ## print each module's coverage; fail below the minimum [MINCOVER=85]
	.ci/cover '$(MINCOVER)'

consumer: ## build an app on each module as users get it, check its module graph
	GOWORK=off go -C .ci/tools run ./consumer ../..

release: ## tag every module, after make check [VERSION=v0.1.0 DRY=1 to change nothing CHECKED=1]
	GOWORK=off go -C .ci/tools run ./release $(if $(DRY),-dry) $(if $(CHECKED),-checked) ../.. '$(VERSION)'

site: ## build docs as a static site with search and playground, into .build/site; takes node and npm
	.ci/site/build

picture: ## draw the picture of the README again from what the programs print
	GOWORK=off go -C .ci/tools run ./picture ../..

fmt: ## format every Go file
	gofmt -w $$(.ci/modules | cut -d ' ' -f 2-) .ci/tools

tidy: ## tidy every go.mod
	.ci/modules | while read -r _ dir; do (cd "$$dir" && GOWORK=off go mod tidy) || exit; done
	cd .ci/tools && GOWORK=off go mod tidy
