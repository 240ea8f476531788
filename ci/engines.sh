#!/usr/bin/env bash
# The matrix of engines: every variant of S01 to S13 on each of ENGINES (sim,turmoil), over SEEDS seeds (3), run by
# the binary WRACK (one is built otherwise). It must agree with the table in harness/ENGINES.md, which is of more
# seeds and all engines: the same rows, and in no cell more seeds that are not as they should be, or more that are,
# than there. For madsim WRACK must be what `cargo mad build` made. What writes the table, the long run:
#
#   cargo mad build --release --locked
#   WRACK=target/madsim/release/wrack bash ci/engines.sh bless
set -euo pipefail
cd "$(dirname "$0")/.."
if [ "${1:-}" = bless ]; then
    ENGINES=sim,turmoil,madsim SEEDS=${SEEDS:-20}
fi

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
status=0
"$WRACK" matrix "${scenarios[@]}" --engine "${ENGINES:-sim,turmoil}" --seeds "0..${SEEDS:-3}" \
    --format markdown > "$table" || status=$?
cat "$table"

if [ "${1:-}" = bless ]; then
    awk -v table="$table" '
        /^<!-- end of the matrix -->/ { inside = 0 }
        !inside { print }
        /^<!-- matrix -->/ { inside = 1; print ""; while ((getline line < table) > 0) print line; print "" }
    ' "$page" > "$table.new"
    cp "$table.new" "$page"
    exit "$status"
fi
# The seeds of a cell are some of those of the same cell of the page, whatever was written there.
awk -F ' *[|] *' '
    /^<!--/ { inside = /^<!-- matrix/ }
    FNR == NR && !inside { next }
    /^[|] Scenario/ { for (column = 5; column < NF; column++) engine[column] = $column; next }
    !/^[|] [a-z]/ { next }
    FNR != NR && !((ran = $2 " " $3 " " $4) in rows) { print ran " is not in the table"; wrong = 1; next }
    {
        row = $2 " " $3 " " $4
        if (FNR == NR) rows[row] = 1; else delete rows[row]
        for (column = 5; column < NF; column++) {
            split($column, count, "( of |:)")
            cell = row " " engine[column]
            if (FNR == NR) { found[cell] = count[1]; missed[cell] = count[2] - count[1]; kept[cell] = $column; continue }
            if (!(cell in kept) || count[1] > found[cell] || count[2] - count[1] > missed[cell]) {
                print cell ": " $column ", but the table has " kept[cell]
                wrong = 1
            }
        }
    }
    END { for (row in rows) { print row " was not run"; wrong = 1 } exit wrong }
' "$page" "$table" || {
    echo "the table in $page is of something else; if the change is meant, write it again: see above in this script"
    exit 1
}
exit "$status"
