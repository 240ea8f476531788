#!/usr/bin/env bash
# What a sweep found, as the text of an issue: every unexpected kind of failure with the command that
# replays its first seed.
#
# usage: ci/issue-text.sh SUMMARY [FOLDER]     the summary.json of a sweep; where the scenarios are
set -euo pipefail
jq --raw-output --arg folder "${2:-scenarios}" '
    def replay($one; $seed):
        "`wrack run \($folder)/\($one.scenario).toml --variant \($one.variant) --seed \($seed)`";
    "A sweep found what nobody expects.\n",
    (.signatures[] | select(.expected | not) |
        "- **\(.code)** in \(.scenario) \(.variant) (\(.shape)): \(.seeds | length) seeds. "
        + "Replay: " + replay(.; .seeds[0])),
    (.groups[] | select(.as_expected | not) |
        "- \(.scenario) \(.variant): \(.expected) in \(.found) of \(.seeds) seeds"
        + (if .failures[0] then ". First that is not as expected: " + replay(.; .failures[0]) else "" end)
        + (if .unknown[0] then ". First that is unknown: " + replay(.; .unknown[0]) else "" end))
' "$1"
