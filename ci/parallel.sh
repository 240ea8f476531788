#!/usr/bin/env bash
# A sweep with GNU parallel, on this machine or, with --sshlogin, on several that share OUT. Run again,
# it does what is left.
#
# usage: ci/parallel.sh N [OPTIONS OF PARALLEL]
# environment: as ci/shard.sh and ci/merge.sh
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
shards=$1
shift
failed=0
JOBS=${JOBS:-1} parallel --will-cite "$@" "$here/shard.sh" {} "$shards" ::: $(seq "$shards") || failed=$?
if [ "$failed" -ne 0 ]; then
    echo "$failed shards are not done: run the same command again" >&2
    exit 75
fi
exec "$here/merge.sh"
