/**
 * Three pictures: the digit with the pixels that the unit sees, the unit's map, and the saliency.
 *
 * @typedef {import("../../shared/explorable.js").Shown} Shown
 * @typedef {import("../../shared/types.js").Cell} Cell
 * @typedef {import("../../shared/types.js").Plane} Plane
 * @typedef {import("./rules.js").Stage} Stage
 * @typedef {import("./rules.js").Unit} Unit
 *
 * @typedef {object} PicturesOptions
 * @property {import("../../shared/format.js").Translate} text
 * @property {() => {unit: Unit, stage: Stage}} now  What is chosen: keys go on from there, also while its numbers are on their
 *   way.
 * @property {(pixel: Cell) => void} onPixel  The unit shall see this pixel.
 * @property {(place: Cell) => void} onPlace  The unit shall be at this place of its map.
 */
import { at } from "../../engine/tensors.js";
import { signed } from "../../shared/colour.js";
import { h } from "../../shared/dom.js";
import { full, short } from "../../shared/format.js";
import { createLegend } from "../../shared/legend.js";
import { createPixelGrid } from "../../shared/pixel_grid.js";
import { fromText, SIDE } from "../../shared/pixel_text.js";
import { follow } from "../../shared/roving.js";
import { hasPlaces, seen } from "./rules.js";

/** Negative cells carry a mark from this part of the largest size on. */
const FAINT = 8;

/** The size of the largest number. @param {ArrayLike<number>} values */
export function largest(values) {
  let most = 0;
  for (let place = 0; place < values.length; place++) most = Math.max(most, Math.abs(Number(values[place])));
  return most;
}

/**
 * The colours of a layer's numbers: with a sign where there can be one, otherwise from 0 on.
 * @param {Stage} stage  @param {number} limit  @param {import("../../shared/theme.js").Scales} scales
 * @returns {(value: number) => import("../../shared/colour.js").Colour}
 */
export function coloursOf({ kind }, limit, { diverging, even }) {
  return kind === "convolution" || kind === "logits" ? signed(diverging, limit) : (value) => even(limit > 0 ? value / limit : 0);
}

/** @param {PicturesOptions} options */
export function createPictures({ text, now, onPixel, onPlace }) {
  /** @type {Shown | null} */
  let last = null;
  /** Where the keys are in the saliency. @type {Cell} */
  let cursor = [SIDE / 2, SIDE / 2];

  /** Arrow keys move the unit. @param {KeyboardEvent} event */
  function onUnitKey(event) {
    const { unit, stage } = now();
    const next = follow(event, [unit[1], unit[2]], { rows: stage.shape[1], columns: stage.shape[2] });
    if (!next) return;
    event.preventDefault();
    event.stopPropagation();
    onPlace(next);
  }
  /** @param {KeyboardEvent} event */
  function onCursorKey(event) {
    const next = follow(event, cursor, { rows: SIDE, columns: SIDE });
    if (!next) return;
    event.preventDefault();
    event.stopPropagation();
    look(next);
  }
  /** @param {Cell} cell */
  function look(cell) {
    cursor = cell;
    if (last) drawSaliency(last);
  }
  const quiet = { onPoint() {}, onLeave() {} };
  const input = createPixelGrid({ ...quiet, label: text("input_label"), name: "input", onPick: onPixel, onKey: onUnitKey });
  const map = createPixelGrid({ ...quiet, label: text("map_label"), name: "map", onPick: onPlace, onKey: onUnitKey });
  const saliency = createPixelGrid({ ...quiet, label: text("saliency_label"), name: "saliency", onPick: look, onKey: onCursorKey });
  const legends = [createLegend(), createLegend()];
  const titles = Array.from({ length: 3 }, () => h("div", { class: "dlc-part-title" }));
  const readouts = Array.from({ length: 3 }, () => h("p", { class: "dlc-readout" }));
  const everywhere = h("p", { class: "dlc-features-everywhere" }, text("every_pixel"));
  const mapFigure = h("div", {}, map.element, readouts[1], legends[0]?.element);
  const element = h(
    "div",
    { class: "dlc-features-pictures" },
    h("section", { class: "dlc-part" }, titles[0], input.element, readouts[0]),
    h("section", { class: "dlc-part" }, titles[1], mapFigure, everywhere),
    h("section", { class: "dlc-part" }, titles[2], saliency.element, readouts[2], legends[1]?.element),
  );

  /** What was painted last: cells are painted anew only when their numbers or colours change. @type {Record<string, {of: unknown[], plane: Plane, colour: (value: number) => string}>} */
  const painted = {};
  /**
   * @param {string} name  @param {unknown[]} of  @param {() => ArrayLike<number>} values  @param {[number, number]} size
   * @param {(value: number) => import("../../shared/colour.js").Colour} colour
   */
  function paint(name, of, values, [height, width], colour) {
    const known = painted[name];
    if (known && of.every((part, index) => part === known.of[index])) return known;
    return (painted[name] = { of, plane: { height, width, values: Float32Array.from(values()) }, colour: (value) => colour(value).fill });
  }
  const common = {
    describe: (/** @type {number} */ value, /** @type {Cell} */ [row, column]) => text("cell", { value: full(value), row, column }),
    border: 0,
    faint: 0,
    revealed: null,
    pointing: false,
  };
  /** @param {number} index  @param {Plane} plane  @param {Cell} cell */
  function tell(index, plane, [row, column]) {
    const readout = /** @type {Element} */ (readouts[index]);
    readout.textContent = text("cell", { value: short(Number(plane.values[row * plane.width + column])), row, column });
  }

  /** @param {Shown} shown */
  function drawSaliency({ state, answers: { saliency: found }, scales }) {
    const limit = largest(found.gradient.data);
    const { plane, colour } = paint("saliency", [found.gradient.data, scales], () => found.gradient.data, [SIDE, SIDE], signed(scales.diverging, limit));
    const [row, column] = cursor;
    saliency.draw({ ...common, plane, colour, signs: true, faint: limit / FAINT, focus: cursor, mark: { row, column, size: 1 } });
    /** @type {Element} */ (titles[2]).textContent = text("saliency", { digit: state["digit"] });
    legends[1]?.draw(scales.diverging, [-limit, limit], true);
    tell(2, plane, cursor);
  }

  return {
    element,
    /** @param {Shown} shown  @param {Stage} stage  @param {string} image  @param {string} name  Of the layer. */
    draw(shown, stage, image, name) {
      last = shown;
      const { state, answers, scales } = shown;
      /** @type {Unit} */
      const unit = state["unit"];
      const [channel, row, column] = unit;
      const [, height, width] = stage.shape;

      const square = seen(stage, unit);
      const digit = paint("input", [image, scales], () => Array.from(fromText(image) ?? [], (level) => level / 255), [SIDE, SIDE], scales.even);
      /** @type {Cell} */
      const middle = [square.row + Math.floor((square.size - 1) / 2), square.column + Math.floor((square.columns - 1) / 2)];
      input.draw({ ...common, plane: digit.plane, colour: digit.colour, signs: false, focus: middle, mark: square });
      tell(0, digit.plane, middle);
      /** @type {Element} */ (titles[0]).textContent = text("input");

      const places = hasPlaces(stage);
      mapFigure.hidden = !places;
      everywhere.hidden = places;
      /** @type {Element} */ (titles[1]).textContent = `${name}, ${text(places ? "map" : "unit_number", { channel })}`;
      if (places) {
        const maps = answers["features"].maps;
        const limit = largest(maps.data);
        const colours = coloursOf(stage, limit, scales);
        const shownMap = paint("map", [maps, channel, scales], () => at(maps, channel), [height, width], colours);
        const isSigned = stage.kind === "convolution";
        map.draw({ ...common, plane: shownMap.plane, colour: shownMap.colour, signs: isSigned, faint: limit / FAINT, focus: [row, column], mark: { row, column, size: 1 } });
        legends[0]?.draw(isSigned ? scales.diverging : scales.even, [isSigned ? -limit : 0, limit], isSigned);
        tell(1, shownMap.plane, [row, column]);
      }
      drawSaliency(shown);
    },
  };
}
