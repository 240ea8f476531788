#!/usr/bin/env bash
# Opens a report in headless Chromium and fails if it asks for anything, breaks its own policy, or
# shows no verdict. Exits 77 if there is no browser and none may be installed.
#
# usage: ci/browser.sh WRACK FOLDER
set -euo pipefail
wrack=$1
folder=$2

browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)
if [ -z "$browser" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    apt-get update -qq && apt-get install -y -qq chromium >/dev/null
    browser=$(command -v chromium || true)
fi
[ -n "$browser" ] || exit 77

"$wrack" run scenarios/raft/leader-isolated.toml --variant stale_local_read --out "$folder/browser" >/dev/null
report="$folder/browser/raft/leader-isolated/stale_local_read/0/report.html"
profile=$(mktemp -d)
trap 'rm -rf "$profile"' EXIT
"$browser" --headless --no-sandbox --disable-gpu --disable-quic --no-first-run \
    --disable-background-networking --disable-component-update --disable-sync \
    --user-data-dir="$profile" --enable-logging=stderr --virtual-time-budget=3000 \
    --dump-dom "file://$report" >"$folder/dom.html" 2>"$folder/browser.log"
if grep -E "CONSOLE|Content Security Policy|ERR_" "$folder/browser.log" | grep -v dbus; then
    echo "the browser complains about the report" >&2
    exit 1
fi
grep -q "INVALID" "$folder/dom.html" || { echo "the page shows no verdict" >&2; exit 1; }
echo "the report opens without a complaint"
