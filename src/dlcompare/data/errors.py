"""What can go wrong with a data set: every error says which one, what happened and what to do."""

from __future__ import annotations

__all__ = ["CacheError", "ChecksumError", "DataError", "DiskFullError", "FetchError", "UnknownDataSetError"]


class DataError(RuntimeError):
    """A data set cannot be had. The subclasses say why."""


class UnknownDataSetError(DataError, ValueError):
    """There is no data set of that name."""


class FetchError(DataError):
    """The file could not be downloaded (no network, no such file, pip failed)."""


class ChecksumError(DataError):
    """A file is there, but it is not the pinned one."""


class DiskFullError(DataError):
    """The disk has no room for the file."""


class CacheError(DataError):
    """The cache folder cannot be read or written."""
