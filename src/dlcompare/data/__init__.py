"""Real data sets, pinned by version and SHA-256, fetched once, split once and for all.

``load_...`` functions return :class:`Splits` of typed, frozen records. The file of a set is fetched the first time
it is needed, into the folder that ``DLCOMPARE_DATA`` names or the user's cache directory; ``dlcompare data fetch
--all`` fetches them all beforehand.
"""

from dlcompare.data._cache import archive, cache_folder, cached, fetch
from dlcompare.data._registry import Entry, entry, registry, sha256
from dlcompare.data._splits import SEED, Splits
from dlcompare.data.errors import (
    CacheError,
    ChecksumError,
    DataError,
    DiskFullError,
    FetchError,
    UnknownDataSetError,
)
from dlcompare.data.shakespeare import Corpus, Document, load_shakespeare

__all__ = [
    "SEED",
    "CacheError",
    "ChecksumError",
    "Corpus",
    "DataError",
    "DiskFullError",
    "Document",
    "Entry",
    "FetchError",
    "Splits",
    "UnknownDataSetError",
    "archive",
    "cache_folder",
    "cached",
    "entry",
    "fetch",
    "load_shakespeare",
    "registry",
    "sha256",
]
