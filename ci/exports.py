"""Asks a Prometheus everything that a dashboard asks, and fails if nothing answers.

usage: ci/exports.py URL DASHBOARD
"""

import json
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

VARIANTS = ("reference", "stale_local_read")


def ready(url):
    """Waits until the server answers, half a minute at most."""
    for _ in range(300):
        try:
            urllib.request.urlopen(url + "/-/ready", timeout=5)
            return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.1)
    sys.exit("prometheus does not answer")


def ask(url, query):
    """The series that a query gives over the whole run."""
    words = urllib.parse.urlencode({"query": query, "start": 0, "end": 62, "step": 1})
    with urllib.request.urlopen(f"{url}/api/v1/query_range?{words}", timeout=30) as answer:
        return json.load(answer)["data"]["result"]


def main(url, path):
    ready(url)
    with open(path, encoding="utf-8") as file:
        dashboard = json.load(file)
    asked = 0
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            query = target["expr"].replace("$scenario", "raft/leader-isolated").replace("$seed", "0")
            series = [one for v in VARIANTS for one in ask(url, query.replace("$variant", v))]
            if not series:
                sys.exit(f"nothing answers {query}")
            asked += 1
    throughput = 'sum(wrack_operations_total{variant="reference",outcome="ok"})'
    values = [float(value) for _, value in ask(url, throughput)[0]["values"]]
    if values != sorted(values) or values[0] != 0 or values[-1] < 1000:
        sys.exit(f"operations do not grow from nothing to thousands: {values[0]}, {values[-1]}")
    print(f"a Prometheus answers all {asked} queries of the dashboard")


if __name__ == "__main__":
    main(*sys.argv[1:])
