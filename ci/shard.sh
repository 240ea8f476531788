#!/usr/bin/env bash
# One shard of a sweep, for any scheduler. Run again, it goes on where it was killed.
#
# usage: ci/shard.sh I N        the I-th of N shards, I from 1
# environment: SCENARIOS (scenarios), SEEDS (0..1000), OUT (wrack-shards), WRACK (wrack), JOBS (all cores)
set -euo pipefail
jobs=()
[ -z "${JOBS:-}" ] || jobs=(--jobs "$JOBS")
code=0
# Paths without spaces: several may stand in SCENARIOS.
# shellcheck disable=SC2086
"${WRACK:-wrack}" sweep ${SCENARIOS:-scenarios} --variant all --seeds "${SEEDS:-0..1000}" \
    --shard "$1/$2" --out "${OUT:-wrack-shards}/$1" --resume "${jobs[@]}" || code=$?
# 0, 1 and 2 are verdicts over a part of the seeds: the merge gives the one over all of them. Anything
# else means that the shard is not done.
[ "$code" -le 2 ] || exit "$code"
