/**
 * What the present step does, as matrices: those that it takes, and those that it gives, whose cells can be opened.
 *
 * @typedef {import("../../shared/explorable.js").Shown} Shown
 * @typedef {import("../../shared/types.js").Cell} Cell
 */
import { signed } from "../../shared/colour.js";
import { h } from "../../shared/dom.js";
import { full } from "../../shared/format.js";
import { createMatrixGrid } from "../../shared/matrix_grid.js";
import { cellName, matrixName } from "./names.js";
import { GIVEN, isUsed, opened, shownStep } from "./rules.js";

/** What stands between a step's operands; nothing before the result of one alone. @type {Record<import("./rules.js").Part["kind"], string>} */
const SIGNS = { products: "×", mask: "", softmax: "", sum: "+", loss: "−", error: "−", copy: "", jacobian: "" };

/**
 * @param {import("../../shared/format.js").Translate} text
 * @param {(wish: import("./rules.js").State) => void} set
 */
export function createStage(text, set) {
  const title = h("p", { class: "dlc-attention-backprop-deed" });
  const row = h("div", { class: "dlc-attention-backprop-row", tabindex: -1 });
  const element = h("section", { class: "dlc-part", "aria-label": text("stage") }, title, row);
  /** The grids that stand there, by what they are. @type {Map<string, import("../../shared/matrix_grid.js").MatrixGrid>} */
  let grids = new Map();
  let standing = "";

  /** @param {string[]} operands  @param {string} sign  @param {string[]} results  @param {string} kind */
  function build(operands, sign, results, kind) {
    const key = [operands, results].join("|");
    if (key === standing) return;
    standing = key;
    grids = new Map();
    /** @param {string} name  @param {((cell: Cell) => void) | undefined} onPick */
    const add = (name, onPick) => {
      const grid = createMatrixGrid({ name, onPick });
      grids.set(name, grid);
      return grid.element;
    };
    const pick = (/** @type {number} */ part) => (/** @type {Cell} */ [at, column]) => set(kind === "jacobian" ? { middle: at, column } : { part, row: at, column });
    /** A grid with the sign before it, which stay together. @param {string} before  @param {Element} grid */
    const group = (before, grid) => h("div", { class: "dlc-attention-backprop-group" }, before ? h("span", { class: "dlc-attention-backprop-sign", "aria-hidden": "true" }, before) : null, grid);
    const given = operands.map((name, index) => group(index ? sign : "", add(name, kind === "jacobian" ? ([at, column]) => set({ row: at, column }) : undefined)));
    // What L is made of are its tokens' losses; it has no cells to open.
    const made = results.map((name, part) => group(part ? "" : sign ? "=" : "→", add(name, kind === "loss" ? undefined : pick(part))));
    row.replaceChildren(...given, ...made);
  }

  return {
    element,
    /** @param {Shown} shown  @param {import("./numbers.js").Numbers} numbers */
    draw({ state, scales }, numbers) {
      const step = shownStep(state);
      const now = opened(state);
      const operands = now?.part.operands ?? Object.keys(GIVEN);
      const results = step?.parts.map(({ result }) => result) ?? [];
      title.textContent = text(`deed_${step?.name ?? "start"}`, { row: state["row"] + 1 });
      const focused = row.querySelector(":focus") ?? (row.matches(":focus") ? row : null);
      build(operands, now ? SIGNS[now.part.kind] : "", results, now?.part.kind ?? "");
      for (const [name, grid] of grids) {
        const matrix = numbers.matrix(name);
        const sizes = Array.from(matrix.values, Math.abs).filter(Number.isFinite);
        const bySign = signed(scales.diverging, Math.max(...sizes));
        const isResult = results.includes(name);
        const open = now && isResult && now.part.result === name ? now.cell : name === "a" && step?.name === "jacobian" ? /** @type {Cell} */ ([state["row"], state["column"]]) : null;
        grid.draw({
          title: matrixTitle(text, name, state["row"]),
          label: text("matrix", { name: matrixName(name), what: text(`name_${name}`) }),
          matrix,
          // What the mask hides has no number that a colour could tell.
          colour: (value) => (value === -Infinity ? null : name === "a" ? scales.even(value) : bySign(value)),
          describe: (value, cell) => `${name === "loss" ? "L" : cellName(name, cell)} = ${full(value)}`,
          open,
          used: (cell) => !isResult && isUsed(state, name, cell),
        });
      }
      // With the step the grids change; the keys still mean this explorable.
      if (focused && !focused.isConnected) (grids.get(now?.part.result ?? "")?.focus() || row.focus({ preventScroll: true }));
    },
  };
}

/** @param {import("../../shared/format.js").Translate} text  @param {string} name  @param {number} row */
const matrixTitle = (text, name, row) => `${matrixName(name)}, ${text(`name_${name}`, { row: row + 1 })}`;
