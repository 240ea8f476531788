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

# A run with an anomaly has every panel.
"$wrack" run scenarios/raft/leader-isolated.toml --variant stale_local_read --out "$folder/run" >/dev/null
cp "$folder/run/raft/leader-isolated/stale_local_read/0/report.html" "$folder/stale-local-read.html"
python3 ci/browser.py "$browser" "$folder/axe/package/axe.min.js" "$artifacts" "$folder/stale-local-read.html"
