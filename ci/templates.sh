#!/usr/bin/env bash
# Lints the templates for CI systems and runs what can be run of them: see ci/templates.py. The linters are
# Python packages, installed beside; exits 77 if they cannot be.
#
# usage: ci/templates.sh WRACK FOLDER
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
tools=${WRACK_CI_TOOLS:-$2/tools}
mkdir -p "$2"
rm -rf "$2/run"
if ! "$tools/bin/check-jsonschema" --version >/dev/null 2>&1; then
    python3 -m venv "$tools" || exit 77
    "$tools/bin/pip" install --quiet --disable-pip-version-check check-jsonschema==0.39.0 kubernetes-validate==1.37.0 \
        pre-commit==4.7.0 PyYAML==6.0.3 tree-sitter==0.26.1 tree-sitter-groovy==0.1.2 || exit 77
fi
"$tools/bin/python" "$here/templates.py" "$1" "$2/run"
