"""Hourly temperatures: two days in, the next day out."""

from __future__ import annotations

from dlcompare import data
from dlcompare.comparison.task import Bar, Examples, Form, Metric, Part, Task

__all__ = ["AHEAD", "TEMPERATURES", "WINDOW", "load"]

#: How many hours a model reads.
WINDOW = 48
#: How many hours it forecasts.
AHEAD = 24


def load(seed: int) -> Examples:
    """Return windows of :func:`~dlcompare.data.load_temperatures` in Seattle; ``seed`` changes nothing.

    Values are standardised by the training part's mean and deviation. No window reaches from one part into another.
    """
    series = data.load_temperatures("seattle")
    mean, deviation = series.train.values.mean(), series.train.values.std()

    def part(of: data.Series) -> Part:
        spans = ((of.values - mean) / deviation).unfold(0, WINDOW + AHEAD, 1)  # (n, WINDOW + AHEAD)
        return Part(spans[:, :WINDOW, None].clone(), spans[:, WINDOW:].clone())

    form = Form("series", "value", size_in=1, length=WINDOW, size_out=AHEAD, scale=float(deviation))
    return Examples(form, series.map(part))


#: Temperatures: hourly normals, smooth from day to day. The seasons of the three parts differ, as time has it.
TEMPERATURES = Task(
    "temperatures",
    "how warm will it be in each hour of tomorrow?",
    load,
    Metric("mean_absolute_error", "°C", higher_is_better=False),
    {"batch_size": 64, "steps": 1000, "window": WINDOW, "ahead": AHEAD, "series": "seattle"},
    data=("temperatures",),
    bar=Bar("as today at the same hour (seasonal naive)", "baseline"),
)
