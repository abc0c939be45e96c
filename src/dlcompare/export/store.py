"""A folder of exported graphs, named by their content: each is made once and shared by all pages.

Beside the files stands, for each graph, a record under the hash of what it was made from: its operations, its weights,
the versions of what wrote it. While that is the same, nothing is exported again.
"""

from __future__ import annotations

import gzip
import hashlib
import importlib.metadata
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import filelock
import platformdirs
import torch

from dlcompare._files import replace_files
from dlcompare.export.graph import Graph

__all__ = ["Exported", "export", "graphs_folder"]

#: Changes whenever the files would be written in another way from the same operations.
FORMAT = 3


@dataclass(frozen=True)
class Exported:
    """A graph as it lies in a folder.

    Parameters
    ----------
    graph
        the file of its operations, gzipped ONNX.
    weights
        the file of its weights, gzipped; None where it has none to speak of.
    bytes
        what both take up on the way to a reader.
    half
        whether the weights are stored as float16.
    parity
        by output, the largest absolute difference from torch that was found.
    """

    graph: str
    weights: str | None
    bytes: int
    half: bool
    parity: dict[str, float]


def graphs_folder() -> Path:
    """Return the folder for exported graphs: ``DLCOMPARE_GRAPHS``, or one in the user's cache."""
    return Path(os.environ.get("DLCOMPARE_GRAPHS") or Path(platformdirs.user_cache_dir("dlcompare"), "graphs"))


def _made_from(graph: Graph, code: str, constants: Iterator[tuple[str, torch.Tensor]]) -> str:
    digest = hashlib.sha256()
    versions = {name: importlib.metadata.version(name) for name in ("torch", "onnx", "onnxscript")}
    shapes = {name: (str(value.dtype), list(value.shape)) for name, value in graph.example.items()}
    settings = [FORMAT, graph.name, graph.varying, graph.tolerance, versions, shapes]
    for part in (json.dumps(settings, sort_keys=True), code):
        digest.update(part.encode() + b"\0")
    for name, value in constants:
        digest.update(f"{name} {value.dtype} {tuple(value.shape)}".encode() + b"\0")
        digest.update(value.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def export(graph: Graph, folder: Path | None = None) -> Exported:
    """Write ``graph`` into ``folder``, unless the same stands there already, and say which files it is.

    Weights are stored as float16 where the graph then still gives what torch gives, otherwise as float32.

    Parameters
    ----------
    graph
        what to export; it is held against torch on fresh random inputs before anything is written.
    folder
        by default that of :func:`graphs_folder`.

    Raises
    ------
    ParityError
        when the exported graph differs from torch by more than ``graph.tolerance``; nothing is written then.
    GraphError
        for an output of a type that no page takes.
    RuntimeError
        when the packages of the extra ``export`` are not installed.
    """
    try:
        import onnx  # noqa: F401
        import onnxruntime  # noqa: F401
        import onnxscript  # noqa: F401
    except ImportError as missing:
        raise RuntimeError(f"{missing.name} is not installed: pip install 'dlcompare[export]'") from None
    from dlcompare.export.tracing import trace

    folder = graphs_folder() if folder is None else folder
    folder.mkdir(parents=True, exist_ok=True)
    traced = trace(graph)
    key = _made_from(graph, traced.operations.code, iter(sorted(traced.constants().items())))
    record = folder / f"{key[:32]}.json"
    with filelock.FileLock(folder / f".{key[:32]}.lock"):
        found = _read(record, folder)
        if found is None:
            found = _write(graph, traced, folder)
            replace_files({record: json.dumps(asdict(found), indent=1).encode()})
    return found


def _read(record: Path, folder: Path) -> Exported | None:
    try:
        found = Exported(**json.loads(record.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    files = [name for name in (found.graph, found.weights) if name]
    return found if all((folder / name).is_file() for name in files) else None


def _write(graph: Graph, traced: object, folder: Path) -> Exported:
    from dlcompare.export.onnx_file import split, to_onnx
    from dlcompare.export.parity import ParityError, compare
    from dlcompare.export.tracing import Trace, to_program

    assert isinstance(traced, Trace)
    model = to_onnx(to_program(graph, traced), traced.inputs, traced.outputs)
    half = True
    written, weights = split(model, half=True)
    try:
        parity = compare(graph, written, weights)
    except ParityError:
        if not weights:
            raise
        half = False
        written, weights = split(model, half=False)
        parity = compare(graph, written, weights)
    contents = {f"{graph.name}.{_hash(written)}.onnx.gz": written}
    if weights:
        contents[f"weights.{_hash(weights)}.bin.gz"] = weights
    files = {name: gzip.compress(content, 9, mtime=0) for name, content in contents.items()}
    replace_files({folder / name: content for name, content in files.items()})
    names = list(files)
    size = sum(len(content) for content in files.values())
    return Exported(names[0], names[1] if weights else None, size, half and bool(weights), parity)


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]
