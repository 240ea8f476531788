#!/usr/bin/env bash
# Submits a sweep as an array of jobs, and a merge that runs when all of them have ended; waits for
# the merge and exits as it does. Shards that were lost are submitted again by naming them; the others
# are left as they are.
#
# usage: ci/slurm/submit.sh N [ARRAY]     ARRAY as Slurm writes it, such as 3,7; by default 1-N
# environment: as ci/shard.sh and ci/merge.sh; OUT on a file system that all nodes share
set -euo pipefail
CI_FOLDER=$(dirname "$(dirname "$(readlink -f "$0")")")
SHARDS=$1
export CI_FOLDER SHARDS
array=$(sbatch --parsable --array="${2:-1-$SHARDS}" "$CI_FOLDER/slurm/sweep.sbatch")
sbatch --wait --dependency="afterany:$array" "$CI_FOLDER/slurm/merge.sbatch"
