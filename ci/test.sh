#!/usr/bin/env bash
# All of the project's tests, from a clean checkout: what a newcomer and CI run alike.
#
# Needs Rust and a C compiler. A browser, Python's linters of CI templates, GNU parallel and Slurm are used if
# they are there, and installed where that is allowed; what could not be run is listed at the end, and fails
# the run if CI=true.
set -euo pipefail
cd "$(dirname "$0")/.."
# Where the reports of the gate stay: JUnit, SARIF, Markdown; and pictures of a report.
artifacts=${ARTIFACTS:-target/artifacts}

skipped=()
step() { printf '\n== %s\n' "$*"; }

step "formatting"
cargo fmt --all --check

step "lints"
cargo clippy --workspace --all-targets --locked -- -D warnings

step "tests"
cargo test --workspace --locked

step "the worked service without its fsync"
# All packages, so that no dependency is built anew for fewer features; `holds` is what such examples test.
cargo test --workspace --locked --features kv-service/no-fsync --test holds

step "benchmarks still run: each once, as the tests are built"
cargo test --workspace --locked --bench engine --bench runs --bench codec --bench judging --bench report

step "madsim (a build of its own, some 6 minutes): the carriers, the command line, and 3 seeds of S01 to S13 on it"
cargo mad test --locked -p wrack-carriers -p wrack --lib --test raft
cargo mad test --locked -p wrack-carriers -p wrack --test suite engines::
ENGINES=madsim WRACK=target/madsim/debug/wrack bash ci/engines.sh

step "documentation"
RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked

step "the binary, installed as the README says"
cargo build --release --locked
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
cargo install --path harness/wrack --locked --quiet --root "$root"
wrack="$root/bin/wrack"

step "scenario gate: every variant over 20 seeds, and one of them twice, in a fresh process elsewhere"
"$wrack" gate scenarios --policy ci/gate.toml --out "$artifacts/gate"

step "the scoreboard is the one that is kept"
"$wrack" scoreboard --format markdown > "$root/scoreboard.md"
diff "$root/scoreboard.md" models/designs/SCOREBOARD.md || {
    echo "if the change is meant: wrack scoreboard --format markdown > models/designs/SCOREBOARD.md"
    exit 1
}

step "verdicts do not depend on the engine: 3 seeds of S01 to S13 on the simulator and on turmoil (half a minute)"
WRACK=$wrack bash ci/engines.sh

step "the report in a browser"
if bash ci/browser.sh "$wrack" "$root" "$artifacts/report"; then :; else
    case $? in
        77) skipped+=("the report in a browser: no Chromium, Python or axe-core here, and none could be installed") ;;
        *) exit 1 ;;
    esac
fi

step "exported metrics in a real Prometheus"
if bash ci/exports.sh "$wrack" "$root"; then :; else
    case $? in
        77) skipped+=("exported metrics in a real Prometheus: not here, and could not be installed") ;;
        *) exit 1 ;;
    esac
fi

step "templates for CI systems: linted, and run where they can be"
if bash ci/templates.sh "$wrack" "$root/templates"; then :; else
    case $? in
        77) skipped+=("templates for CI systems: their linters could not be installed") ;;
        *) exit 1 ;;
    esac
fi

step "a sweep with GNU parallel and with Slurm, and a shard that is killed"
if bash ci/shards.sh "$wrack" "$root/shards"; then :; else
    case $? in
        77) skipped+=("GNU parallel and Slurm: not here, and could not be installed") ;;
        *) exit 1 ;;
    esac
fi

if [ "${#skipped[@]}" -gt 0 ]; then
    printf '\nnot run:\n'
    printf '  %s\n' "${skipped[@]}"
    [ "${CI:-}" != true ] || exit 1
fi
printf '\nall tests passed\n'
