#!/usr/bin/env bash
# The long run: every reference over many seeds, without a single anomaly. Not part of CI: ten thousand
# seeds of each take hours of one core. Run again, it goes on where it was interrupted. Figures of past
# runs: models/designs/LONG-RUNS.md
#
# usage: ci/long-run.sh [SEEDS] [OUT]
set -euo pipefail
cd "$(dirname "$0")/.."
seeds=${1:-10000}
out=${2:-wrack-long-run}

cargo build --release --locked --quiet
wrack=$(cargo metadata --format-version 1 --no-deps --offline |
    sed 's/.*"target_directory":"\([^"]*\)".*/\1/')/release/wrack
"$wrack" sweep scenarios --seeds "0..$seeds" --out "$out" --resume
