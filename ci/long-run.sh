#!/usr/bin/env bash
# The long run: every reference variant over many seeds, without a single anomaly. Not part of CI:
# ten thousand seeds of each take about an hour of one core. Figures of past runs: models/designs/LONG-RUNS.md
#
# usage: ci/long-run.sh [SEEDS] [OUT]
set -euo pipefail
cd "$(dirname "$0")/.."
seeds=${1:-10000}
out=${2:-$(mktemp -d)}

cargo build --release --locked --quiet
wrack=$(cargo metadata --format-version 1 --no-deps --offline |
    sed 's/.*"target_directory":"\([^"]*\)".*/\1/')/release/wrack
for scenario in scenarios/crdt/*.toml scenarios/raft/*.toml scenarios/single-writer/*.toml; do
for scenario in scenarios/*/*.toml; do
    "$wrack" run "$scenario" --seeds "0..$seeds" --keep failures --out "$out/$(basename "$scenario" .toml)"
done
