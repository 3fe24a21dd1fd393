# The commands of the project. What they download or build for tests goes to .tools, one folder for each checkout.
# Stamps lie inside the folder they speak of, so that they go with it.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := bash

TOOLS := .tools
PYTHON := $(TOOLS)/venv/bin/python
VENV := $(TOOLS)/venv/ready
AWS := $(TOOLS)/aws/ready
ENGINE := $(TOOLS)/bin/ready
IAM := tests/iam/node_modules/ready
SDK_GEN := cargo run --quiet -p sdk-gen --
# What tests, demo and benchmark run on.
STAGE := plugin engine $(AWS) wheel

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' Makefile

.PHONY: demo
demo: $(STAGE) ## the one-line program against a local AWS: preview, up, fetch a file, destroy
	$(PYTHON) tests/demo.py

.PHONY: test
test: $(STAGE) $(IAM) ## every test
	cargo test --workspace
	$(PYTHON) -m pytest tests --numprocesses logical --dist loadfile

.PHONY: check
check: ## formatting, lints, and that generated files are fresh
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- --deny warnings
	test -z "$$(gofmt -l sdk-gen/go)"
	$(SDK_GEN) schema --check

.PHONY: plugin
plugin: ## target/release/pulumi-resource-s3dataproxy
	cargo build --release -p pulumi-resource-s3dataproxy

.PHONY: engine
engine: $(ENGINE) ## .tools/bin: pulumi and its language hosts

.PHONY: aws
aws: $(AWS) ## the local AWS in the foreground, on AWS_PORT (4566)
	@$(TOOLS)/aws/bin/python tests/aws/launcher.py

.PHONY: sdk
sdk: $(VENV) ## the Python and Node.js SDKs, in sdk/ and dist/
	$(SDK_GEN) sdk

.PHONY: dist
dist: plugin $(VENV) ## the plugin's tarball and the SDKs, in dist/
	$(SDK_GEN) dist

.PHONY: bench
bench: $(STAGE) ## the measurements
	PYTHONPATH=tests $(PYTHON) tests/bench/run.py

.PHONY: soak
soak: $(STAGE) ## 200 lives of a resource against one plugin process: memory, files, sockets and threads
	SOAK_LIVES=200 $(PYTHON) -m pytest tests/test_soak.py --capture=no

.PHONY: live
live: $(STAGE) ## the points that no emulator settles, on a real AWS account with your credentials; asks first
	PYTHONPATH=tests $(PYTHON) -m live

.PHONY: clean
clean: ## removes all that was built or downloaded
	rm -rf target dist sdk $(TOOLS)

# The Python SDK, installed where the tests' programs find it.
.PHONY: wheel
wheel: sdk
	@for wheel in dist/*.whl; do \
		[[ $(TOOLS)/venv/wheel -nt $$wheel ]] || \
		{ $(PYTHON) -m pip install --quiet --no-deps --force-reinstall $$wheel && touch $(TOOLS)/venv/wheel; }; \
	done

$(ENGINE): tests/tools/engine.sh $(wildcard sdk-gen/go/go.* sdk-gen/go/language-hosts/*/go.*)
	tests/tools/engine.sh
	@touch $@

$(VENV): tests/requirements.txt tests/tools/venv.sh
	tests/tools/venv.sh $(TOOLS)/venv $<
	@touch $@

$(AWS): tests/aws/requirements.txt tests/tools/venv.sh
	tests/tools/venv.sh $(TOOLS)/aws $<
	@touch $@

$(IAM): tests/iam/package.json tests/iam/package-lock.json
	npm ci --prefix tests/iam --ignore-scripts --no-audit --no-fund --silent
	@touch $@
