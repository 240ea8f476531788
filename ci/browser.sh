#!/usr/bin/env bash
# Opens reports in a real Chromium and looks at them as people do; see browser.py. Pictures and printed pages
# stay in ARTIFACTS. Exits 77 if there is no browser, Python or axe-core, and none may be installed.
#
# usage: ci/browser.sh WRACK FOLDER [ARTIFACTS]
set -euo pipefail
wrack=$1
folder=$2/browser
artifacts=${3:-$folder/pictures}

browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)
if [ -z "$browser" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    apt-get update -qq && apt-get install -y -qq chromium >/dev/null
    browser=$(command -v chromium || true)
fi
[ -n "$browser" ] && command -v python3 >/dev/null && command -v npm >/dev/null || exit 77

mkdir -p "$folder/axe"
(cd "$folder/axe" && npm pack --silent axe-core@4.10.3 >/dev/null && tar xzf axe-core-*.tgz) || exit 77

# A run with an anomaly, beside one without, has every panel.
raft=scenarios/raft/leader-isolated.toml
day=scenarios/gamedays/leaders-go-away.toml
"$wrack" run "$raft" --out "$folder/run" >/dev/null
"$wrack" run "$raft" --variant stale_local_read --out "$folder/run" >/dev/null
results=$folder/run/raft/leader-isolated
"$wrack" report "$results/stale_local_read/0" --baseline "$results/reference/0" --out "$folder/stale-local-read.html" >/dev/null
"$wrack" sweep "$raft" --variant stale_local_read --seeds 0..20 --out "$folder/sweep" >/dev/null
cp "$folder/sweep/report.html" "$folder/sweep.html"
for page in brief run postmortem; do
    "$wrack" gameday "$page" "$day" --out "$folder/day" >/dev/null
done
cp "$folder/day/brief.html" "$folder/gameday-brief.html"
cp "$folder/day/report.html" "$folder/gameday-report.html"
cp "$folder/day/postmortem.html" "$folder/gameday-postmortem.html"
python3 ci/browser.py "$browser" "$folder/axe/package/axe.min.js" "$artifacts" \
    "$folder"/{stale-local-read,sweep,gameday-brief,gameday-report,gameday-postmortem}.html
