"""A published page's engine, asked from Python: for tests of parity and for measurements."""

from __future__ import annotations

import base64
import statistics
from collections.abc import Mapping
from typing import Any

from playwright.sync_api import Page
from torch import Tensor

from dlcompare.export import decode
from dlcompare.export.graph import to_json

__all__ = ["PageEngine"]

#: The page's own worker, spoken to as `js/src/engine/page_runner.js` does.
_START = """() => {
  const tag = document.querySelector('script[data-dlcompare-modules]');
  const address = name => new URL(name, tag.src).href;
  const files = {};
  for (const container of document.querySelectorAll('.dlcompare-explorable'))
    for (const [name, { graph, weights, bytes }] of Object.entries(JSON.parse(container.dataset.graphs)))
      files[name] = { graph: address(`graphs/${graph}`), weights: weights && address(`graphs/${weights}`), bytes };
  const worker = new Worker(address(tag.dataset.dlcompareWorker), { type: 'module' });
  const wasm = address(tag.dataset.dlcompareWasm);
  const open = new Map();
  let asked = 0;
  worker.onmessage = ({ data }) => {
    if (data.kind === 'progress' || data.kind === 'loaded') return;
    open.get(data.id)?.(data);
    open.delete(data.id);
  };
  const arrays = { float32: Float32Array, int32: Int32Array, bool: Uint8Array };
  const read = written => Object.fromEntries(Object.entries(written).map(([name, { type, dims, data }]) =>
    [name, { type, dims, data: new arrays[type](Uint8Array.from(atob(data), c => c.charCodeAt(0)).buffer) }]));
  const write = tensors => Object.fromEntries(Object.entries(tensors).map(([name, { type, dims, data }]) => {
    let text = '';
    for (const byte of new Uint8Array(data.buffer, data.byteOffset, data.byteLength)) text += String.fromCharCode(byte);
    return [name, { type, dims, data: btoa(text) }];
  }));
  const run = (graph, inputs) => new Promise(resolve => {
    const id = (asked += 1);
    open.set(id, resolve);
    worker.postMessage({ id, files: files[graph], wasm, inputs });
  });
  globalThis.pageEngine = {
    files,
    run,
    ask: async (graph, written) => {
      const { kind, outputs, detail } = await run(graph, read(written));
      return kind === 'answer' ? { outputs: write(outputs) } : { detail };
    },
    time: async (graph, written, times) => {
      const inputs = read(written), taken = [];
      for (let i = 0; i < times; i++) {
        const start = performance.now();
        await run(graph, inputs);
        taken.push(performance.now() - start);
      }
      return taken;
    },
  };
  return Object.fromEntries(Object.entries(files).map(([name, { bytes }]) => [name, bytes]));
}"""


class PageEngine:
    """The engine of an open page.

    Parameters
    ----------
    page
        a page of the built book that holds explorables.
    """

    def __init__(self, page: Page) -> None:
        self.page = page
        #: What each graph of the page weighs, by name, in bytes.
        self.graphs: dict[str, int] = page.evaluate(_START)

    def run(self, graph: str, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return a graph's outputs as onnxruntime computes them in the page."""
        answer: dict[str, Any] = self.page.evaluate("([g, i]) => pageEngine.ask(g, i)", [graph, to_json(inputs)])
        if "outputs" not in answer:
            raise RuntimeError(f"{graph}: {answer['detail']}")
        return {name: decode(value, base64.b64decode(value["data"])) for name, value in answer["outputs"].items()}

    def milliseconds(self, graph: str, inputs: Mapping[str, Tensor], times: int = 20) -> float:
        """Return the median time of a question, asked ``times`` times after one that is not counted."""
        taken: list[float] = self.page.evaluate(
            "([g, i, n]) => pageEngine.time(g, i, n)", [graph, to_json(inputs), times + 1]
        )
        return statistics.median(taken[1:])
