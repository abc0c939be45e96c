/**
 * The figure: the image with its window, the window's numbers times the kernel's, their sum, and the output map.
 *
 * @typedef {import("../../shared/types.js").Cell} Cell
 * @typedef {import("./state.js").Shown} Shown
 * @typedef {import("./state.js").Stepper} Stepper
 *
 * @typedef {{row: number, column: number} | null} Detail  A number pointed at among the window's or the products'.
 *
 * @typedef {object} FigureOptions
 * @property {import("../../shared/format.js").Translate} text
 * @property {Stepper} stepper
 * @property {() => boolean} isPlaying
 * @property {() => void} onTouch  The reader takes the window into the own hand.
 * @property {() => void} onPlay
 * @property {(message: string) => void} onRefuse
 */
import { signed } from "../../shared/colour.js";
import { h, put } from "../../shared/dom.js";
import { createFormula } from "./formula.js";
import { full, short } from "../../shared/format.js";
import { createKernelEditor } from "./kernel_editor.js";
import { createLegend } from "../../shared/legend.js";
import { createLinks } from "./links.js";
import { createNumberGrid } from "../../shared/number_grid.js";
import { createPixelGrid } from "../../shared/pixel_grid.js";
import { follow } from "../../shared/roving.js";

/** @param {FigureOptions} options */
export function createFigure({ text, stepper, isPlaying, onTouch, onPlay, onRefuse }) {
  let detail = /** @type {Detail} */ (null);
  /** @param {Detail} next */
  const onDetail = (next) => {
    detail = next;
    const shown = stepper.shown();
    if (shown) drawReadout(shown);
  };

  const maps = {
    onLeave: () => stepper.point(null),
    onKey,
  };
  /** @param {(cell: Cell) => Cell} where  From a cell to an output pixel. */
  const hand = (where) => ({
    onPoint: (/** @type {Cell} */ cell) => void (isPlaying() || stepper.point(where(cell))),
    onPick: (/** @type {Cell} */ cell) => {
      onTouch();
      stepper.go(where(cell));
    },
  });
  const input = createPixelGrid({ label: text("input_label"), name: "input", ...maps, ...hand(stepper.over) });
  const output = createPixelGrid({ label: text("output_label"), name: "output", ...maps, ...hand((cell) => cell) });
  let lastMap = output;
  input.element.addEventListener("focusin", () => (lastMap = input));
  output.element.addEventListener("focusin", () => (lastMap = output));

  const window = createNumberGrid({ label: text("window"), name: "window", onDetail });
  const kernel = createKernelEditor({
    text,
    onEdit: (next) => stepper.set({ kernel: next }),
    onRefuse,
    onLeave: () => lastMap.focus(),
  });
  const products = createNumberGrid({ label: text("products_label"), name: "products", onDetail });
  const total = h("div", { class: "dlc-sum", "data-grid": "sum" });
  const formula = createFormula(text("sum"));
  const readout = h("p", { class: "dlc-readout" });
  const inputLegend = createLegend();
  const outputLegend = createLegend();

  const titles = { input: h("span"), output: h("span") };
  /** @param {string} name @param {Node | string} title @param {...Node} content */
  const part = (name, title, ...content) =>
    h("div", { class: `dlc-part dlc-part-${name}` }, h("div", { class: "dlc-part-title" }, title), ...content);
  const sign = (/** @type {string} */ symbol) => h("span", { class: "dlc-sign", "aria-hidden": "true" }, symbol);
  const numbers = h(
    "div",
    { class: "dlc-numbers" },
    part("window", text("window"), window.element),
    sign("×"),
    part("kernel", text("kernel"), kernel.element),
    sign("="),
    part("products", text("products"), products.element),
    sign("→"),
    part("sum", text("sum_title"), total),
  );
  const stage = h(
    "div",
    { class: "dlc-stage" },
    part("input", titles.input, input.element, inputLegend.element),
    part("output", titles.output, output.element, outputLegend.element),
    numbers,
  );
  const links = createLinks(stage);

  /** @param {KeyboardEvent} event */
  function onKey(event) {
    const shown = stepper.shown();
    if (!shown) return;
    const { at, output: map } = shown;
    const next = follow(event, at, { rows: map.height, columns: map.width });
    if (next) {
      onTouch();
      stepper.go(next);
    } else if (event.key === "Enter") kernel.focus();
    else if (event.key === " ") onPlay();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** @param {Shown} shown */
  function drawReadout({ at, state, window: values, weights, products: terms, sum }) {
    const size = state.kernel.length;
    if (detail && detail.row < size && detail.column < size) {
      const index = detail.row * size + detail.column;
      const [a, b, product] = [values, weights, terms].map((all) => full(/** @type {number} */ (all[index])));
      const where = { row: detail.row, column: detail.column };
      readout.textContent = text("readout_product", { ...where, a: a ?? "", b: b ?? "", product: product ?? "" });
    } else readout.textContent = text("readout_sum", { row: at[0], column: at[1], value: full(sum) });
  }

  /** @type {import("../../shared/theme.js").Scales} */
  let scales;
  /** Colour functions are made anew only when what they depend on changes, which is when cells are painted anew. */
  const even = memo((/** @type {import("../../shared/theme.js").Scales} */ { even }) => (/** @type {number} */ v) => even(v).fill);
  const diverging = memo((/** @type {import("../../shared/theme.js").Scales} */ { diverging }, /** @type {number} */ limit) => {
    const colour = signed(diverging, limit);
    return (/** @type {number} */ value) => colour(value).fill;
  });

  /** @param {Shown} shown */
  function draw(shown) {
    const { state, at, limit, padded, output: map } = shown;
    const size = state.kernel.length;
    const { extent } = stepper;
    titles.input.textContent = text(state.padding ? "input_padded" : "input", {
      height: extent.height,
      width: extent.width,
      padding: state.padding,
    });
    titles.output.textContent = text("output", { height: map.height, width: map.width });

    const corner = { row: at[0] * state.stride, column: at[1] * state.stride };
    const middle = (size - 1) >> 1;
    input.draw({
      plane: padded,
      colour: even(scales),
      describe: (value, [row, column], outside) =>
        text(outside ? "padding_cell" : "cell", {
          row: row - state.padding,
          column: column - state.padding,
          value: full(value),
        }),
      border: state.padding,
      signs: false,
      faint: 0,
      pointing: shown.pointing,
      revealed: null,
      focus: [corner.row + middle, corner.column + middle],
      mark: { ...corner, size },
    });
    output.draw({
      plane: map,
      colour: diverging(scales, limit),
      describe: (value, [row, column]) => text("cell", { row, column, value: full(value) }),
      border: 0,
      signs: true,
      faint: limit / 25,
      pointing: shown.pointing,
      revealed: shown.revealed,
      focus: at,
      mark: { row: at[0], column: at[1], size: 1 },
    });
    inputLegend.draw(scales.even, [0, 1], false);
    outputLegend.draw(scales.diverging, [-limit, limit], true);

    // The kernel is the reader's, and shown as it is wanted; what follows from it may still be on its way.
    const { kernel: wanted } = shown.wanted;
    const weights = Float32Array.from(wanted.flat());
    const bySign = signed(scales.diverging, Math.max(...weights.map(Math.abs)));
    put(numbers, { "data-size": size > 3 ? "large" : "small" });
    window.draw(shown.window, scales.even);
    kernel.draw(wanted, weights, bySign);
    products.draw(shown.products, bySign);
    const { fill, ink } = signed(scales.diverging, limit)(shown.sum);
    total.textContent = short(shown.sum);
    const style = `background: ${fill}; color: ${ink}; --dlc-chars: ${total.textContent.length}`;
    put(total, { "data-value": shown.sum, title: full(shown.sum), style });
    formula.draw(shown.window, shown.weights, shown.sum);
    drawReadout(shown);
    place(shown);
  }

  /** Draw the lines for the present layout. @param {Shown} shown */
  function place({ state, at }) {
    const [row, column] = [at[0] * state.stride, at[1] * state.stride];
    const from = total.getBoundingClientRect();
    // Where the sum stands on a line below the window's, a line to its pixel would run across other numbers.
    const near = from.top < window.element.getBoundingClientRect().bottom;
    links.draw(
      { from: input.boxOf({ row, column, size: state.kernel.length }), to: window.element.getBoundingClientRect() },
      input.element.getBoundingClientRect().bottom,
      near ? { from, to: output.boxOf({ row: at[0], column: at[1], size: 1 }) } : null,
    );
  }
  const resizing = new ResizeObserver(() => {
    const shown = stepper.shown();
    if (shown) place(shown);
  });
  resizing.observe(stage);

  return {
    elements: [stage, formula.element, readout],
    draw,
    /** @param {import("../../shared/theme.js").Scales} next */
    recolour(next) {
      scales = next;
      const shown = stepper.shown();
      if (shown) draw(shown);
    },
    destroy: () => resizing.disconnect(),
  };
}

/**
 * Remember the last result.
 * @template {unknown[]} Arguments
 * @template Result
 * @param {(...given: Arguments) => Result} make
 */
function memo(make) {
  /** @type {Arguments | undefined} */
  let last;
  /** @type {Result} */
  let result;
  return (/** @type {Arguments} */ ...given) => {
    if (!last || given.some((value, index) => value !== last?.[index])) {
      last = given;
      result = make(...given);
    }
    return result;
  };
}
