"""A metrics file, read as Prometheus does."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

STOCKS = {"dataset": "tickers", "market": "stocks", "active": "true"}
Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def samples(text: str) -> Samples:
    """All values in a text, by name and labels, as Prometheus understands it; every family is a gauge with a help text."""
    found: Samples = {}
    for family in text_string_to_metric_families(text):
        assert (family.type, bool(family.documentation)) == ("gauge", True)
        for sample in family.samples:
            key = (sample.name, tuple(sorted(sample.labels.items())))
            assert key not in found
            found[key] = sample.value
    return found


def values(text: str, labels: dict[str, str]) -> dict[str, float]:
    """The values of one series of labels, by the metric's name without its prefix."""
    wanted = tuple(sorted(labels.items()))
    return {name.removeprefix("stockpipe_"): value for (name, found), value in samples(text).items() if found == wanted}
