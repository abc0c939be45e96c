/**
 * The way through the head, from X on the left to the loss on the right: a small picture of each matrix, and beside it of the
 * derivative of the loss by it, as far as they are there. Pressing one goes to the step that gives it.
 *
 * @typedef {import("../../shared/explorable.js").Shown} Shown
 */
import { signed } from "../../shared/colour.js";
import { h, OWN_KEYS, put, s } from "../../shared/dom.js";
import { full, short } from "../../shared/format.js";
import { matrixName } from "./names.js";
import { isKnown, shownStep, sizeOf, stepOf, STEPS } from "./rules.js";

/** Columns from left to right. */
const COLUMNS = [["x"], ["wq", "wk", "wv"], ["q", "k", "v"], ["s"], ["a"], ["o"], ["y"], ["loss"]]; // prettier-ignore
/** Where a column's boxes stand, in hundredths of the height, by how many there are. @type {Record<number, number[]>} */
const HEIGHTS = { 1: [55], 3: [22, 55, 87] };
const LINES = ["x wq", "x wk", "x wv", "wq q", "wk k", "wv v", "q s", "k s", "s a", "a o", "v o", "o y", "y loss"];
/** The first step of the way back. */
const BACK = STEPS.findIndex(({ kind }) => kind === "backward") + 1;

/**
 * @param {import("../../shared/format.js").Translate} text
 * @param {(step: number) => void} onStep
 */
export function createOverview(text, onStep) {
  /** @type {Map<string, {x: number, y: number}>} */
  const places = new Map();
  COLUMNS.forEach((names, column) =>
    names.forEach((name, row) => places.set(name, { x: ((column + 0.5) / COLUMNS.length) * 100, y: Number(HEIGHTS[names.length]?.[row]) })),
  );
  const place = (/** @type {string} */ name) => /** @type {{x: number, y: number}} */ (places.get(name));
  const lines = LINES.map((line) => {
    const [from = "", to = ""] = line.split(" ");
    const [start, end] = [place(from), place(to)];
    return { from, to, element: s("line", { x1: start.x, y1: start.y, x2: end.x, y2: end.y, class: "dlc-attention-backprop-line" }) };
  });
  const [x, y] = [place("x"), place("y")];
  const residual = s("path", { d: `M${x.x},${x.y}V4H${y.x}V${y.y}`, class: "dlc-attention-backprop-line", "data-line": "residual" });
  const drawing = s("svg", { class: "dlc-attention-backprop-lines", viewBox: "0 0 100 100", preserveAspectRatio: "none", "aria-hidden": "true" }, ...lines.map(({ element }) => element), residual);

  let backward = false;
  const boxes = COLUMNS.flat().map((name) => {
    const value = createThumbnail("value");
    const slope = createThumbnail("slope");
    const number = h("span", { class: "dlc-attention-backprop-loss" });
    const { x: left, y: top } = place(name);
    const element = h(
      "button",
      { type: "button", ...OWN_KEYS, class: "dlc-attention-backprop-box", "data-name": name, style: `left: ${left}%; top: ${top}%`, onclick: () => onStep(backward && name !== "loss" ? stepOf(`d${name}`) : stepOf(name)) },
      h("span", { class: "dlc-attention-backprop-name" }, matrixName(name)),
      ...(name === "loss" ? [number] : [h("span", { class: "dlc-attention-backprop-pair" }, value.element, slope.element)]),
    );
    return { name, element, value, slope, number };
  });
  const label = h("span", { class: "dlc-attention-backprop-residual", "aria-hidden": "true" }, text("residual"));
  const element = h("div", { class: "dlc-attention-backprop-overview", role: "group", "aria-label": text("overview"), "data-grid": "overview" }, drawing, label, ...boxes.map((box) => box.element));

  return {
    element,
    /** @param {Shown} shown  @param {import("./numbers.js").Numbers} numbers */
    draw({ state, scales }, numbers) {
      const { step } = state;
      const now = shownStep(state);
      backward = step >= BACK;
      const results = new Set(now?.parts.map(({ result }) => result));
      /** What the step does to a box: gives its matrix or its derivative. @param {string} name */
      const isNow = (name) => results.has(name) || results.has(`d${name}`) || (name === "x" && results.has("dxq")) || (name === "a" && results.has("jacobian"));
      for (const { name, element: box, value, slope, number } of boxes) {
        const known = isKnown(name, step);
        const there = name !== "loss" && isKnown(`d${name}`, step);
        if (name === "loss") {
          const loss = numbers.single("loss");
          number.textContent = known ? short(loss) : "?";
          put(number, { "data-value": known ? loss : null, title: known ? full(loss) : null });
        } else {
          value.draw(sizeOf(name), known ? numbers.matrix(name).values : null, name === "a" ? scales.even : scales.diverging, name === "a");
          slope.draw(sizeOf(name), there ? numbers.matrix(`d${name}`).values : null, scales.diverging, false);
        }
        const said = text(there ? "box_both" : known ? "box_value" : "box_none", { name: matrixName(name), what: text(`name_${name}`) });
        put(box, { "aria-label": said, title: said, "data-now": isNow(name), "aria-current": isNow(name) ? "step" : null });
      }
      const back = now?.kind === "backward";
      for (const { from, to, element: line } of lines) {
        const lit = back ? isNow(from) && results.has(`d${from}`) : results.has(to) || (to.startsWith("w") && results.has(to.slice(1)));
        put(line, { "data-now": lit, "data-back": back && lit });
      }
      const onResidual = results.has("y") || results.has("dxr") || results.has("dx");
      put(residual, { "data-now": onResidual, "data-back": back && onResidual });
    },
  };
}

/** A matrix as coloured cells. @param {"value" | "slope"} kind */
function createThumbnail(kind) {
  const element = s("svg", { class: "dlc-attention-backprop-thumbnail", "data-kind": kind, "aria-hidden": "true" });
  return {
    element,
    /**
     * @param {import("../../shared/types.js").Cell} size
     * @param {ArrayLike<number> | null} values  Null while they are not there.
     * @param {import("../../shared/colour.js").Scale} scale
     * @param {boolean} isShare  Whether the scale goes from 0 to 1.
     */
    draw([rows, columns], values, scale, isShare) {
      put(element, { viewBox: `0 0 ${columns} ${rows}`, style: `aspect-ratio: ${columns} / ${rows}`, "data-empty": values === null, "data-values": values && Array.from(values).join(" ") });
      const numbers = Array.from(values ?? []);
      const colour = isShare ? scale : signed(scale, Math.max(...numbers.map(Math.abs)));
      if (element.childElementCount !== rows * columns)
        element.replaceChildren(...Array.from({ length: rows * columns }, (_, place) => s("rect", { x: place % columns, y: Math.floor(place / columns), width: 1, height: 1 })));
      [...element.children].forEach((cell, place) => put(cell, { fill: values ? colour(Number(numbers[place])).fill : "transparent" }));
    },
  };
}
