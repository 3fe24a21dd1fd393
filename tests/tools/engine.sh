#!/usr/bin/env bash
# Makes .tools/bin: the Pulumi CLI and its language hosts for YAML, Node.js and Python.
#
# A good set on PATH is linked, because that is what users run; otherwise all is built from the Go modules in
# sdk-gen/go, whose versions are pinned. (The first build takes some minutes; Go's cache makes later ones short.)
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
bin=$root/.tools/bin
modules=$root/sdk-gen/go
hosts=(yaml nodejs python)
programs=(pulumi pulumi-language-{yaml,nodejs,python} pulumi-language-python-exec)
minimum=3.259.0

main() {
    mkdir -p "$bin"
    if on_path; then
        for program in "${programs[@]}"; do ln -sf "$(command -v "$program")" "$bin/$program"; done
    else
        build
    fi
}

on_path() {
    local program found version
    for program in "${programs[@]}"; do
        found=$(command -v "$program") || return 1
        [[ $found != "$bin"/* ]] || return 1
    done
    version=$(pulumi version) || return 1
    [[ $(printf '%s\n' "$minimum" "${version#v}" | sort -V | head -n1) == "$minimum" ]]
}

build() {
    local host sdk version
    command -v go >/dev/null || {
        echo "needs Go 1.25 or newer, or pulumi $minimum or newer with its language hosts on PATH" >&2
        exit 1
    }
    cd "$modules"
    version=$(go list -m -f '{{.Version}}' github.com/pulumi/pulumi/pkg/v3)
    # A link of an earlier call must not lead the build to someone's own pulumi.
    find "$bin" -type l -delete
    echo "building pulumi $version and its language hosts into .tools/bin" >&2
    build_tool "-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=${version#v}"
    for host in "${hosts[@]}"; do
        (cd "language-hosts/$host" && build_tool)
    done
    # The Python host runs this script, which must match the pulumi package of the program, not the host.
    sdk=$(go list -m -f '{{.Dir}}' github.com/pulumi/pulumi/sdk/v3)
    install -m 755 "$sdk/python/cmd/pulumi-language-python-exec" "$bin/"
}

# Builds the module's one tool, with no flag that would keep the code generator from sharing the compiled packages.
build_tool() {
    go build -buildvcs=false -ldflags "-s -w ${1:-}" -o "$bin/" tool
}

main
