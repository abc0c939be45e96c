"""Real data sets, pinned by version and SHA-256, fetched once, split once and for all.

The ``load_...`` functions return :class:`Splits` of typed, frozen records (:func:`load_smollm2`: a model's weights).
The file of a set is fetched the first time it is needed, into the folder that ``DLCOMPARE_DATA`` names or the user's
cache directory; ``dlcompare data fetch --all`` fetches all but the optional ones beforehand. Made-up points in the
plane are drawn by :func:`make_points`. Importing this module imports neither torch nor numpy.
"""

from dlcompare.data._cache import cache_folder, cached, fetch
from dlcompare.data._registry import Entry, entry, registry, sha256
from dlcompare.data._splits import SEED, Splits
from dlcompare.data.dialogue import Conversation, Turn, load_dialogue, load_questions_and_answers
from dlcompare.data.digits import Images, load_digits
from dlcompare.data.errors import (
    CacheError,
    ChecksumError,
    DataError,
    DiskFullError,
    FetchError,
    UnknownDataSetError,
)
from dlcompare.data.points import PLANE_SETS, Points, make_points
from dlcompare.data.sentiment import Sentences, load_sentiment
from dlcompare.data.shakespeare import Corpus, Document, load_shakespeare
from dlcompare.data.smollm2 import load_smollm2
from dlcompare.data.surnames import LANGUAGES, Names, load_surnames
from dlcompare.data.temperatures import SERIES, Series, load_temperatures

__all__ = [
    "LANGUAGES",
    "PLANE_SETS",
    "SEED",
    "SERIES",
    "CacheError",
    "ChecksumError",
    "Conversation",
    "Corpus",
    "DataError",
    "DiskFullError",
    "Document",
    "Entry",
    "FetchError",
    "Images",
    "Names",
    "Points",
    "Sentences",
    "Series",
    "Splits",
    "Turn",
    "UnknownDataSetError",
    "cache_folder",
    "cached",
    "entry",
    "fetch",
    "load_dialogue",
    "load_digits",
    "load_questions_and_answers",
    "load_sentiment",
    "load_shakespeare",
    "load_smollm2",
    "load_surnames",
    "load_temperatures",
    "make_points",
    "registry",
    "sha256",
]
