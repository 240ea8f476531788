#!/usr/bin/env bash
# The matrix of engines: every variant of S01 to S13 on the simulator, turmoil and madsim, compared with
# harness/ENGINES.md, or written there (`bless`). SEEDS says how many (3).
#
# One binary has all three engines: the one that is built with --cfg madsim, in a target folder of its own.
set -euo pipefail
cd "$(dirname "$0")/.."
unset RUSTFLAGS CARGO_TARGET_DIR

scenarios=(
    scenarios/single-writer/conflicting-writers.toml
    scenarios/single-writer/owner-crashes-before-fsync.toml
    scenarios/single-writer/lease-expires-in-a-pause.toml
    scenarios/single-writer/projection-misses-events.toml
    scenarios/outbox/relay-down.toml
    scenarios/outbox/relays-scaled-out.toml
    scenarios/outbox/payment-retried.toml
    scenarios/crdt/regions-split.toml
    scenarios/crdt/clocks-disagree.toml
    scenarios/raft/leader-isolated.toml
    scenarios/raft/rolling-crashes.toml
    scenarios/raft/lease-read-under-skew.toml
    scenarios/cache/deploy-serves-stale.toml
)
page=harness/ENGINES.md
table=$(mktemp)
trap 'rm -f "$table" "$table.new"' EXIT

cargo mad build --locked -p wrack --profile "${PROFILE:-release}"
folder=${PROFILE:-release}
[ "$folder" != test ] || folder=debug
target/madsim/"$folder"/wrack matrix "${scenarios[@]}" --engine sim,turmoil,madsim \
    --seeds "0..${SEEDS:-3}" --format markdown > "$table" || status=$?

if [ "${SEEDS:-3}" != 3 ]; then
    cat "$table"
    exit "${status:-0}"
fi
awk -v table="$table" '
    /^<!-- end of the matrix -->/ { inside = 0 }
    !inside { print }
    /^<!-- matrix -->/ { inside = 1; print ""; while ((getline line < table) > 0) print line; print "" }
' "$page" > "$table.new"
if [ "${1:-}" = bless ]; then
    mv "$table.new" "$page"
elif ! diff "$page" "$table.new"; then
    echo "if the change is meant: bash ci/engines.sh bless"
    exit 1
fi
exit "${status:-0}"
