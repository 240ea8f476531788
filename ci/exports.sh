#!/usr/bin/env bash
# Brings results into a real Prometheus and asks it everything that the exported dashboard asks. Exits 77
# if there is no Prometheus and none may be installed.
#
# usage: ci/exports.sh WRACK FOLDER
set -euo pipefail
wrack=$1
folder=$2/exports
mkdir -p "$folder"

if ! { command -v promtool && command -v prometheus; } >/dev/null; then
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || exit 77
    { apt-get update -qq && apt-get install -y -qq --no-install-recommends prometheus; } >/dev/null 2>&1 || exit 77
fi
command -v python3 >/dev/null || exit 77

for variant in reference stale_local_read; do
    "$wrack" run scenarios/raft/leader-isolated.toml --variant "$variant" --out "$folder/runs" >/dev/null
    result="$folder/runs/raft/leader-isolated/$variant/0"
    "$wrack" export openmetrics "$result" --out "$folder/$variant.om"
    promtool tsdb create-blocks-from openmetrics "$folder/$variant.om" "$folder/tsdb" >/dev/null
done
"$wrack" export grafana "$result" --out "$folder/dashboard.json"

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
echo 'global: {}' >"$folder/prometheus.yml"
prometheus --config.file="$folder/prometheus.yml" --storage.tsdb.path="$folder/tsdb" \
    --web.listen-address="127.0.0.1:$port" >"$folder/prometheus.log" 2>&1 &
server=$!
trap 'kill "$server" 2>/dev/null || true' EXIT
python3 "$(dirname "$0")/exports.py" "http://127.0.0.1:$port" "$folder/dashboard.json"
