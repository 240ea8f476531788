#!/usr/bin/env bash
# Makes one sweep of all shards. Exits as `wrack merge` does: 2 if a part of the seeds is in none of them.
#
# usage: ci/merge.sh
# environment: OUT (wrack-shards), MERGED (wrack-merged, made anew), WRACK (wrack)
set -euo pipefail
merged=${MERGED:-wrack-merged}
if [ -e "$merged" ] && [ ! -f "$merged/sweep.json" ]; then
    echo "$merged is not a sweep: it is left alone" >&2
    exit 64
fi
rm -rf "$merged"
exec "${WRACK:-wrack}" merge "${OUT:-wrack-shards}"/* --out "$merged"
