#!/usr/bin/env bash
# The matrix of engines: every variant of S01 to S13 on each of ENGINES (sim,turmoil), compared with
# harness/ENGINES.md, or written there (`bless`). SEEDS says how many (3; only these are compared), WRACK which
# binary runs them (one is built otherwise). For madsim it must be one that `cargo mad build --release` made:
#
#   ENGINES=sim,turmoil,madsim WRACK=target/madsim/release/wrack bash ci/engines.sh
set -euo pipefail
cd "$(dirname "$0")/.."

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

if [ -z "${WRACK:-}" ]; then
    cargo build --release --locked
    WRACK=target/release/wrack
fi
"$WRACK" matrix "${scenarios[@]}" --engine "${ENGINES:-sim,turmoil}" --seeds "0..${SEEDS:-3}" \
    --format markdown > "$table" || status=$?

if [ "${SEEDS:-3}" != 3 ] || [ "${ENGINES:-sim,turmoil}" != sim,turmoil ]; then
    cat "$table"
    exit "${status:-0}"
fi
awk -v table="$table" '
    /^<!-- end of the matrix -->/ { inside = 0 }
    !inside { print }
    /^<!-- matrix -->/ { inside = 1; print ""; while ((getline line < table) > 0) print line; print "" }
' "$page" > "$table.new"
if [ "${1:-}" = bless ]; then
    cp "$table.new" "$page"
elif ! diff "$page" "$table.new"; then
    echo "if the change is meant: bash ci/engines.sh bless"
    exit 1
fi
exit "${status:-0}"
