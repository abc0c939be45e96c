"""From torch functions to graphs that a browser can run: forward passes, gradients, whole training steps.

A :class:`Graph` is a torch function with named inputs and outputs. With a Python kernel it is simply called. For a page
without one, :func:`export` traces it, PyTorch's own autograd included, writes it as ONNX, and holds the result against
torch on fresh random inputs: what differs is refused, so that no page shows another number than the tested code gives.
"""

from dlcompare.export.graph import Graph, GraphError, decode, encode
from dlcompare.export.parity import ParityError
from dlcompare.export.store import Exported, export, graphs_folder

__all__ = ["Exported", "Graph", "GraphError", "ParityError", "decode", "encode", "export", "graphs_folder"]
