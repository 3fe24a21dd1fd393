#!/usr/bin/env bash
# venv.sh FOLDER REQUIREMENTS: a fresh virtual environment with exactly those packages, on Python 3.13 or 3.12.
set -euo pipefail

folder=$1 requirements=$2

# The first that runs: a version manager's shim on PATH may name a Python that it does not have.
find_python() {
    local version candidate
    for version in 3.13 3.12; do
        for candidate in "python$version" \
            "${PYENV_ROOT:-$HOME/.pyenv}"/versions/"$version".*/bin/python"$version" python3; do
            if "$candidate" -c "import sys, venv; sys.exit('%d.%d' % sys.version_info[:2] != '$version')" 2>/dev/null; then
                echo "$candidate"
                return
            fi
        done
    done
    echo "no Python 3.12 or 3.13 on PATH or among pyenv's versions" >&2
    return 1
}

python=$(find_python)
"$python" -m venv --clear "$folder"
"$folder/bin/python" -m pip install --quiet --disable-pip-version-check --requirement "$requirements"
