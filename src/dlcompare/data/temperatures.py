"""Temperatures as time series, for the recurrent networks."""

from __future__ import annotations

import csv
import dataclasses
import functools
import io
from typing import TYPE_CHECKING, Any

from dlcompare.data._archives import members
from dlcompare.data._splits import Splits

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import torch

__all__ = ["SERIES", "Series", "load_temperatures"]

# Each series: the file, the column of the temperature, and whether it is in degrees Fahrenheit.
_FILES: dict[str, tuple[str, str, bool]] = {
    "seattle": ("seattle-temps.csv", "temp", True),
    "san-francisco": ("sf-temps.csv", "temp", True),
    "seattle-daily-maximum": ("seattle-weather.csv", "temp_max", False),
}

SERIES: tuple[str, ...] = tuple(_FILES)
"""The series that :func:`load_temperatures` knows."""

_TRAIN, _VALIDATION = 70, 15  # percent


@dataclasses.dataclass(frozen=True, eq=False)
class Series:
    """A time series.

    Attributes
    ----------
    times : numpy.ndarray
        ``(n,)``, ``datetime64[h]``, local time, increasing
    values : torch.Tensor
        ``(n,)``, float32, in degrees Celsius

    Raises
    ------
    ValueError
        when the fields have different shapes, or ``times`` does not increase.
    """

    times: npt.NDArray[np.datetime64]
    values: torch.Tensor

    def __post_init__(self) -> None:
        if tuple(self.values.shape) != self.times.shape:
            raise ValueError(
                f"values has the shape {tuple(self.values.shape)} and times {self.times.shape}; they must be equal"
            )
        if not (self.times[1:] > self.times[:-1]).all():
            raise ValueError("times must increase")

    def __len__(self) -> int:
        return len(self.times)


def load_temperatures(series: str = "seattle") -> Splits[Series]:
    """Return a series of temperatures in degrees Celsius: the first 70%, the next 15%, the last 15%.

    ``"seattle"`` and ``"san-francisco"`` are *hourly normals*: for each hour of a year the mean over 1981
    to 2010, with dates in 2010. They are smooth, so that "as yesterday at this hour" is a hard bar to beat.
    ``"seattle-daily-maximum"`` is the measured maximum of each day from 2012 to 2015, at 00:00 of its day,
    with all the weather's noise.

    Parameters
    ----------
    series : str
        one of :data:`SERIES`

    Raises
    ------
    ValueError
        if there is no such series.
    dlcompare.data.DataError
        if the file cannot be had.
    """
    import numpy as np
    import torch

    if series not in _FILES:
        raise ValueError(f"series is {series!r}; allowed are {', '.join(SERIES)}")
    rows = _rows(series)
    times = np.array([time for time, _ in rows], dtype="datetime64[h]")
    values = torch.tensor([value for _, value in rows], dtype=torch.float32)
    n_train, n_validation = len(rows) * _TRAIN // 100, len(rows) * _VALIDATION // 100
    parts: list[Any] = [
        Series(times[part].copy(), values[part].clone())
        for part in (
            slice(0, n_train),
            slice(n_train, n_train + n_validation),
            slice(n_train + n_validation, len(rows)),
        )
    ]
    return Splits(*parts)


@functools.cache
def _rows(series: str) -> tuple[tuple[str, float], ...]:
    """Return the times in ISO 8601 and the temperatures in degrees Celsius."""
    filename, column, fahrenheit = _FILES[series]
    (raw,) = (raw for path, raw in members("temperatures").items() if path.endswith("/" + filename))
    rows = []
    for row in csv.DictReader(io.StringIO(raw.decode("utf-8"), newline="")):
        day, _, hour = row["date"].partition(" ")
        value = float(row[column])
        time = f"{day.replace('/', '-')}T{hour[:2] or '00'}"
        rows.append((time, (value - 32) / 1.8 if fahrenheit else value))
    return tuple(rows)
