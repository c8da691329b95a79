# All set-up happens by itself: uv into the checkout, then everything out of uv.lock.
PYTHON ?= python3
UV := .tools/uv/bin/uv
BIN := .venv/bin
SYNCED := .venv/.synced
export UV_PYTHON_DOWNLOADS := never
PYTEST := $(BIN)/python -m pytest

.DEFAULT_GOAL := help
.PHONY: help demo down reset test test-alone test-unit test-contract test-component test-e2e test-observe test-cluster test-faults test-faults-rolling test-recovery bench lint format proto docs \
  chart images images-cluster sbom

help: ## what there is
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

demo: $(SYNCED) ## play one quarter of the ten alliances on a platform of its own, and leave it up; OBSERVE=1 looks on
	$(BIN)/python -m alliance_demo $(if $(filter 1,$(OBSERVE)),--observe)

down: $(SYNCED) ## stop what the demo left up
	$(BIN)/alliance local down

reset: $(SYNCED) ## stop it and forget its data
	$(BIN)/alliance local reset

ALONE := tests/unit tests/contract tests/deploy

test: $(SYNCED) ## every test, and lint beside those that need no platform
	@$(MAKE) --no-print-directory -j2 --output-sync=target lint test-alone
	$(PYTEST) tests $(ALONE:%=--ignore=%)

test-alone: $(SYNCED) ## unit, contract and chart: nothing is started
	$(PYTEST) $(ALONE)

test-unit: $(SYNCED) ## the rules, without any part running; 3 to 5 minutes
	$(PYTEST) tests/unit

test-contract: $(SYNCED) ## contracts: breaking changes, drift, golden bytes, topics, permissions
	$(PYTEST) tests/contract

test-component: $(SYNCED) ## one service on real PostgreSQL and Kafka
	$(PYTEST) tests/component

test-e2e: $(SYNCED) ## the whole loop
	$(PYTEST) tests/e2e

test-observe: $(SYNCED) ## rules and alerts by promtool, queries by Prometheus, where Debian's package prometheus is
	$(PYTEST) tests/observe -rs

test-cluster: export ALLIANCE_CLUSTER_REPOSITORY = $(REPOSITORY)
test-cluster: export ALLIANCE_CLUSTER_TAG = $(TAG)
test-cluster: $(SYNCED) ## the chart on the cluster that KUBECONFIG names, with images of REPOSITORY and TAG that it can pull; 15 minutes
	$(PYTEST) tests/cluster -rs

test-faults: $(SYNCED) ## every fault with SEEDS=3 seeds (or SEEDS=4-5), or FAULTS="11 18a" only; 14 minutes a seed; then what is broken on purpose
	$(BIN)/python -m tests.faults.run $(FAULTS)
	$(if $(FAULTS),,ALLIANCE_EVERY_VARIANT=1 $(PYTEST) tests/faults)

test-faults-rolling: $(SYNCED) ## kill -9 of each part in turn under load; 6 minutes
	$(BIN)/python -m tests.faults.rolling

test-recovery: $(SYNCED) ## recovery drills with PAIRS=50 pairs of listings each, timed; 7 minutes
	$(BIN)/python -m tests.recovery.drill $(PAIRS)

bench: $(SYNCED) ## the event plumbing against bare floors; BENCH="relay ack" chooses; 30 minutes
	$(BIN)/python -m bench $(BENCH)

lint: $(SYNCED) ## ruff, mypy --strict, import-linter, buf, drift of generated code
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	cd proto && ../$(BIN)/buf lint && ../$(BIN)/buf breaking --against released.binpb
	$(BIN)/python proto/generate.py --check
	$(BIN)/python deploy/k8s/chart.py --check

format: $(SYNCED) ## put code in form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

proto: $(SYNCED) ## generate code, descriptors and AsyncAPI out of the contracts
	$(BIN)/python proto/generate.py

docs: $(SYNCED) ## write docs/policy-rules.md and docs/procedures.md out of the rules and programmes
	$(BIN)/python -m registry.policy_table docs/policy-rules.md
	$(BIN)/python -m registry.procedure_table docs/procedures.md

chart: $(SYNCED) ## generate what of the Helm chart follows from contracts and code
	$(BIN)/python deploy/k8s/chart.py

COMMA := ,
SERVICES := registry listings matching reporting notify
REPOSITORY ?= localhost/alliance
TAG ?= $(shell sed -n 's/^appVersion: //p' deploy/k8s/alliance/Chart.yaml)
BASE_IMAGE ?= docker.io/library/python:3.11-slim-bookworm
EPOCH = $(shell git log -1 --format=%ct)
# Every file has the commit's time, so that the same commit on the same base is the same image.
BUILD ?= $(if $(shell command -v podman),podman build --timestamp $(EPOCH),SOURCE_DATE_EPOCH=$(EPOCH) docker buildx build --provenance=false --output type=docker$(COMMA)rewrite-timestamp=true)

images: ## build the services' images (podman or docker); REPOSITORY, TAG, BASE_IMAGE
	@for service in $(SERVICES); do echo "$(REPOSITORY)/$$service:$(TAG) …"; \
	$(BUILD) -f deploy/k8s/Dockerfile --build-arg BASE_IMAGE=$(BASE_IMAGE) --build-arg SERVICE=$$service -t $(REPOSITORY)/$$service:$(TAG) . || exit 1; done

images-cluster: ## of these, for test-cluster: the release after (TAG-next), and one whose migrations fail (TAG-broken)
	@for service in $(SERVICES); do for kind in next broken; do echo "$(REPOSITORY)/$$service:$(TAG)-$$kind …"; \
	$(BUILD) -f tests/cluster/Dockerfile --build-arg IMAGE=$(REPOSITORY)/$$service:$(TAG) --build-arg KIND=$$kind \
	-t $(REPOSITORY)/$$service:$(TAG)-$$kind tests/cluster || exit 1; done; done

sbom: $(UV) ## what is in each image, as CycloneDX, in out/sbom
	@mkdir -p out/sbom; for service in $(SERVICES); do $(UV) export --frozen --quiet --preview-features sbom-export --package $$service \
	--no-dev --format cyclonedx1.5 -o out/sbom/$$service.cdx.json > /dev/null || exit 1; done; ls -l out/sbom

$(UV): deploy/local/uv.txt
	@echo "uv → .tools/uv …"; began=$$(date +%s); \
	$(PYTHON) -m venv .tools/uv && \
	.tools/uv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r deploy/local/uv.txt && \
	echo "uv → .tools/uv ($$(($$(date +%s) - began)) s)"
	@touch $@

$(SYNCED): $(UV) uv.lock pyproject.toml $(wildcard */pyproject.toml services/*/pyproject.toml proto/gen/pyproject.toml deploy/local/pyproject.toml)
	@echo "packages → .venv …"; began=$$(date +%s); \
	$(UV) sync --locked --quiet --python $(PYTHON) && \
	echo "packages → .venv ($$(($$(date +%s) - began)) s)"
	@touch $@
