"""Reads what the server counts with Prometheus' own parser of its text format.

Told by the environment: METRICS_URL, and METRICS_NAMES, a list of `name kind` with commas
between. Exits with 0 when the page is well-formed and has all of them, each of its kind and with
a help text; prints the values as `name{labels} value`, a line each.
"""

import os
import sys
import urllib.request

from prometheus_client.parser import text_string_to_metric_families


def main():
    with urllib.request.urlopen(os.environ["METRICS_URL"], timeout=20) as answer:
        kind = answer.headers["Content-Type"]
        assert kind == "text/plain; version=0.0.4", kind
        page = answer.read().decode()
    families = {}
    for family in text_string_to_metric_families(page):
        # The parser takes the ending off the names of counters.
        name = family.name + ("_total" if family.type == "counter" else "")
        families[name] = family
        for sample in family.samples:
            labels = ",".join(f"{key}={value}" for key, value in sorted(sample.labels.items()))
            print(f"{sample.name}{{{labels}}} {sample.value}")
    for wanted in os.environ["METRICS_NAMES"].split(","):
        name, kind = wanted.split()
        assert name in families, f"{name} is missing"
        assert families[name].type == kind, f"{name} is a {families[name].type}"
        assert families[name].documentation, f"{name} has no help"


sys.exit(main())
