/**
 * The picture: a mark for each family by two of its figures, with its interval and its single runs. What has no such figure
 * stands in a band of its own. One mark is reached by the tab key, the others by arrow keys; a hand chooses the nearest.
 *
 * @typedef {import("./rules.js").Row} Row
 * @typedef {import("./rules.js").Task} Task
 * @typedef {import("./rules.js").Family} Family
 * @typedef {import("../../shared/axis.js").Axis} Axis
 *
 * @typedef {object} Content
 * @property {Task} task
 * @property {Row[]} rows
 * @property {import("../../shared/explorable.js").State} state
 *
 * @typedef {{from: number, to: number, band: number, axis: Axis | null, name: string, log: boolean}} Direction
 *   Where an axis begins and ends on the screen, and the middle of the band for what has no such figure.
 */
import { compact, nearest, placeOf, powersOfTen } from "../../shared/axis.js";
import { h, OWN_KEYS, put, s } from "../../shared/dom.js";
import { createFamilyMark, MARKS } from "../../shared/family_mark.js";
import { short } from "../../shared/format.js";
import { followHand, followKeys } from "../../shared/marks.js";
import { followWidth } from "../../shared/width.js";
import { meets, placeNames } from "./names.js";
import { axisFor, barOf, neighbour, valueOf } from "./rules.js";

const EDGE = { left: 50, right: 22, top: 30, bottom: 46 };
/** Of the bands for what has no such figure. */
const BAND = { width: 70, height: 40 };
/** Half of a mark, for the names around it. */
const HALF = 9;
/** Places along a line that its words may have. */
const SHIFTS = 9;
/** What a single run's mark is as large as, relative to a family's. */
const SMALL = 0.5;

/** Where elements of a drawing lie, but for one. @param {Iterable<Element>} elements  @param {Element} [besides] */
const boxesOf = (elements, besides) =>
  [...elements]
    .filter((element) => element !== besides)
    .map((element) => {
      const box = /** @type {SVGGraphicsElement} */ (element).getBBox();
      return { left: box.x, top: box.y, right: box.x + box.width, bottom: box.y + box.height };
    });

/**
 * @param {object} options
 * @param {import("../../shared/format.js").Translate} options.text
 * @param {(family: string) => Family} options.named
 * @param {(row: Row) => string} options.describe
 * @param {(family: string) => void} options.onChoose
 * @param {(family: string | null) => void} options.onPoint
 */
export function createPlot({ text, named, describe, onChoose, onPoint }) {
  const grid = s("g", { class: "dlc-comparison-grid" });
  const lines = s("g", { class: "dlc-comparison-lines" });
  const spreads = s("g", {});
  const leaders = s("g", { class: "dlc-comparison-leaders" });
  const drawing = s("svg", { "aria-hidden": "true" }, grid, lines, spreads, leaders);
  const names = h("div", { class: "dlc-comparison-names", "aria-hidden": "true" });
  const marks = h("div", { role: "listbox", "aria-label": text("plot"), "data-grid": "plot" });
  const empty = h("p", { class: "dlc-comparison-empty" }, text("empty"));
  const element = h("div", { class: "dlc-comparison-plot" }, drawing, names, marks, empty);
  let width = 0;
  /** @type {Content | null} */
  let last = null;
  let built = "";
  /** @type {{index: number, x: number, y: number}[]} */
  let spots = [];

  const chosen = () => last?.rows.findIndex(({ family }) => family === last?.state["family"]) ?? -1;
  const familyAt = (/** @type {number | null} */ index) => (index === null ? null : (last?.rows[index]?.family ?? null));
  /** @param {MouseEvent} event  @param {number} from */
  function under(event, from) {
    const label = /** @type {Element} */ (event.target).closest("[data-name]");
    if (label) return Number(label.getAttribute("data-name"));
    const box = element.getBoundingClientRect();
    return nearest(spots, event.clientX - box.left, event.clientY - box.top, from);
  }
  function choose(/** @type {number} */ index) {
    const family = familyAt(index);
    if (family === null) return;
    onChoose(family);
    /** @type {HTMLElement | undefined} */ (marks.children[index])?.focus({ preventScroll: true });
  }
  followHand(element, { under, givingWay: chosen, onPress: choose, onPoint: (index) => onPoint(familyAt(index)) });
  followKeys(marks, { chosen, next: (from, key) => neighbour(spots, from, key), onMove: choose });

  /** New marks, for other families. @param {Content} content */
  function build({ rows, state }) {
    const key = `${state["task"]} ${state["budget"]}`;
    if (key === built) return;
    built = key;
    marks.replaceChildren(
      ...rows.map((row, index) =>
        h(
          "div",
          {
            ...OWN_KEYS,
            class: "dlc-comparison-mark",
            role: "option",
            "data-index": index,
            "data-key": row.family,
            "aria-label": describe(row),
            style: `z-index: ${rows.length - index}`,
            onfocus: () => onPoint(row.family),
            onblur: () => onPoint(null),
          },
          createFamilyMark(named(row.family).group, 17),
        ),
      ),
    );
    names.replaceChildren(...rows.map((row, index) => h("span", { "data-name": index }, named(row.family).short)));
  }

  /** What lies on the marks. */
  const around = () => spots.map((spot) => ({ left: spot.x - HALF, right: spot.x + HALF, top: spot.y - HALF, bottom: spot.y + HALF }));

  /** @param {Content} content  @param {number} height  @returns {{x: Direction, y: Direction}} */
  function directions({ task, rows, state }, height) {
    const of = (/** @type {"x" | "y"} */ key) => {
      const name = state[key];
      const log = name !== "quality" && state["scale"] === "log";
      return { name, log, axis: axisFor(name, state["scale"], task, rows), lacks: rows.some((row) => valueOf(row, name, log) === null) };
    };
    const [x, y] = [of("x"), of("y")];
    const bottom = height - EDGE.bottom;
    return {
      x: { ...x, from: EDGE.left + (x.lacks ? BAND.width + 14 : 6), to: width - EDGE.right, band: EDGE.left + BAND.width / 2 },
      y: { ...y, from: bottom - (y.lacks ? BAND.height : 0) - 4, to: EDGE.top, band: bottom - BAND.height / 2 },
    };
  }
  /** @param {Direction} direction  @param {number} value */
  const on = ({ from, to, axis }, value) => from + (to - from) * placeOf(value, /** @type {Axis} */ (axis));
  /** @param {Direction} direction  @param {{at: (number | null)[]}} of */
  const spotOf = (direction, of) => {
    const value = valueOf(of, direction.name, direction.log);
    return value === null ? null : on(direction, value);
  };

  /** @param {Content} content  @param {Direction} x  @param {Direction} y  @param {number} height */
  function drawGrid({ task }, x, y, height) {
    const bottom = height - EDGE.bottom;
    const titled = (/** @type {string} */ name) => (name === "quality" ? [task.metric, task.unit].filter(Boolean).join(", ") : text(`axis_${name}`));
    const tick = (/** @type {string} */ name) => (name === "flops" ? powersOfTen : compact);
    const better = (/** @type {string} */ arrow) => s("tspan", { class: "dlc-comparison-better" }, ` ${arrow} ${text("better")}`);
    // Of the ticks along the bottom, as many as there is room for.
    const every = Math.ceil((x.axis?.ticks.length ?? 0) / Math.max(1, Math.floor((x.to - x.from) / 46)));
    grid.replaceChildren(
      ...(x.axis?.ticks ?? []).flatMap((value, index) => [
        s("line", { x1: on(x, value), x2: on(x, value), y1: y.to, y2: bottom, "data-tick-x": value }),
        index % every === 0 ? s("text", { x: on(x, value), y: bottom + 15, "text-anchor": "middle" }, tick(x.name)(value)) : s("g", {}),
      ]),
      ...(y.axis?.ticks ?? []).flatMap((value) => [
        s("line", { x1: EDGE.left, x2: x.to, y1: on(y, value), y2: on(y, value), "data-tick-y": value }),
        s("text", { x: EDGE.left - 6, y: on(y, value) + 4, "text-anchor": "end" }, tick(y.name)(value)),
      ]),
      s("path", { class: "dlc-comparison-frame", d: `M${EDGE.left},${y.to}V${bottom}H${x.to}` }),
      s("text", { class: "dlc-comparison-axis", x: x.to, y: height - 8, "text-anchor": "end" }, titled(x.name), x.name === "quality" ? better(task.higher ? "→" : "←") : ""),
      s("text", { class: "dlc-comparison-axis", x: 2, y: 13 }, titled(y.name), y.name === "quality" ? better(task.higher ? "↑" : "↓") : ""),
    );
    if (x.band < x.from - BAND.width / 2) {
      grid.append(s("rect", { class: "dlc-comparison-band", x: EDGE.left + 1, y: y.to, width: BAND.width - 6, height: bottom - y.to }));
      grid.append(s("text", { x: x.band - 2, y: bottom + 15, "text-anchor": "middle" }, text("without")));
    }
    if (y.band > y.from + BAND.height / 2) {
      grid.append(s("rect", { class: "dlc-comparison-band", x: EDGE.left, y: bottom - BAND.height + 2, width: x.to - EDGE.left, height: BAND.height - 2 }));
      grid.append(s("text", { x: x.to - 4, y: bottom - 6, "text-anchor": "end" }, text("without")));
    }
  }

  /** The figures that are to be beaten, as lines across. @param {Content} content  @param {Direction} x  @param {Direction} y */
  function drawBars({ task, rows }, x, y) {
    const found = [
      { key: "bar_line", value: barOf(task, rows) },
      { key: "stated_line", value: task.bar?.stated ?? null },
    ].filter(({ value }) => value !== null);
    lines.replaceChildren();
    for (const { key, value } of [x, y].some(({ name }) => name === "quality") ? found : []) {
      const upright = x.name === "quality";
      const at = on(upright ? x : y, Number(value));
      const ends = upright ? { x1: at, x2: at, y1: y.to, y2: y.from } : { x1: EDGE.left, x2: x.to, y1: at, y2: at };
      const words = s("text", {}, text(key, { value: short(Number(value)) }));
      lines.append(s("line", { ...ends, class: `is-${key}`, "data-value": value }), words);
      const { width: wide } = words.getBBox();
      // Beside the line, on either side, as near to its end as can be: where no mark stands, nor other words.
      const places = upright
        ? [0, 1, 2, 3].flatMap((line) => [at + 5, at - 5 - wide].map((left) => ({ x: left, y: y.to + 11 + 15 * line })))
        : Array.from({ length: SHIFTS }, (_, shift) => x.to - wide - (shift * (x.to - EDGE.left - wide)) / (SHIFTS - 1)).flatMap((left) => [at - 5, at + 13].map((line) => ({ x: left, y: line })));
      const inside = places.filter((spot) => spot.x >= EDGE.left && spot.x + wide <= width && spot.y > y.to);
      const taken = [...around(), ...boxesOf(lines.querySelectorAll("text"), words)];
      const free = inside.find((spot) => !taken.some((other) => meets({ left: spot.x, right: spot.x + wide, top: spot.y - 11, bottom: spot.y + 3 }, other)));
      put(words, { ...(free ?? inside[0]) });
    }
  }

  /** A family's interval and its single runs. @param {Row} row  @param {Direction} x  @param {Direction} y  @param {{x: number, y: number}} spot */
  function spreadOf(row, x, y, spot) {
    const { group } = named(row.family);
    const quality = [x, y].find(({ name }) => name === "quality");
    let d = "";
    if (quality?.axis && row.interval) {
      const { low, high } = quality.axis;
      const [from, to] = row.interval.map((end) => on(quality, Math.min(high, Math.max(low, end))));
      const cap = row.interval.map((end) => end >= low && end <= high);
      if (quality === y) d = `M${spot.x},${from}V${to}${cap[0] ? `M${spot.x - 5},${from}h10` : ""}${cap[1] ? `M${spot.x - 5},${to}h10` : ""}`;
      else d = `M${from},${spot.y}H${to}${cap[0] ? `M${from},${spot.y - 5}v10` : ""}${cap[1] ? `M${to},${spot.y - 5}v10` : ""}`;
    }
    return s(
      "g",
      { "data-family": group, "data-of": row.family },
      d ? s("path", { class: "dlc-comparison-interval", d }) : s("g", {}),
      ...row.runs.map((run) => {
        const at = [spotOf(x, run) ?? x.band, spotOf(y, run) ?? y.band];
        return s("path", { class: "dlc-comparison-run", d: MARKS[group], transform: `translate(${at.join(" ")}) scale(${SMALL})`, "data-seed": run.seed, "data-value": run.at[0] });
      }),
    );
  }

  function place() {
    if (!last || !width) return;
    const { rows } = last;
    put(element, { "data-empty": !rows.length });
    const height = element.clientHeight;
    const { x, y } = directions(last, height);
    put(drawing, { width, height, viewBox: `0 0 ${width} ${height}` });
    drawGrid(last, x, y, height);
    spots = rows.map((row, index) => ({ index, x: spotOf(x, row) ?? x.band, y: spotOf(y, row) ?? y.band }));
    drawBars(last, x, y);
    spreads.replaceChildren(...rows.map((row, index) => spreadOf(row, x, y, /** @type {(typeof spots)[number]} */ (spots[index]))).reverse());
    spots.forEach(({ index, ...spot }) => {
      const mark = /** @type {HTMLElement} */ (marks.children[index]);
      mark.style.left = `${spot.x.toFixed(2)}px`;
      mark.style.top = `${spot.y.toFixed(2)}px`;
      const { at } = /** @type {Row} */ (rows[index]);
      put(mark, { "data-value": at[0] ?? null, "data-x": valueOf({ at }, x.name, x.log), "data-y": valueOf({ at }, y.name, y.log) });
    });
    writeNames(height);
  }

  /** @param {number} height */
  function writeNames(height) {
    const labels = /** @type {HTMLElement[]} */ ([...names.children]);
    for (const label of labels) label.hidden = false; // or it would have no size
    const sized = spots.map((spot, index) => ({ ...spot, width: labels[index]?.offsetWidth ?? 0, height: labels[index]?.offsetHeight ?? 0 }));
    const bounds = { left: EDGE.left + 2, right: width - 1, top: EDGE.top - 8, bottom: height - EDGE.bottom - 1 };
    const placed = placeNames(sized, bounds, [...around(), ...boxesOf(lines.querySelectorAll("text"))], boxesOf(spreads.querySelectorAll(".dlc-comparison-interval")));
    leaders.replaceChildren();
    placed.forEach((found, index) => {
      const label = /** @type {HTMLElement} */ (labels[index]);
      const { x, y, width: wide, height: high } = /** @type {(typeof sized)[number]} */ (sized[index]);
      label.hidden = found === null;
      if (!found) return;
      label.style.left = `${found.x.toFixed(1)}px`;
      label.style.top = `${found.y.toFixed(1)}px`;
      if (found.far > 16) leaders.append(s("line", { x1: x, y1: y, x2: Math.min(found.x + wide, Math.max(found.x, x)), y2: Math.min(found.y + high, Math.max(found.y, y)) }));
    });
  }
  const endWidth = followWidth(element, (now) => {
    width = now;
    place();
  });

  return {
    element,
    /** @param {Content} content */
    draw(content) {
      last = content;
      build(content);
      const now = Math.max(0, chosen());
      [...marks.children].forEach((mark, index) => put(mark, { "aria-selected": String(index === now), tabindex: index === now ? 0 : -1 }));
      [...names.children].forEach((label, index) => put(label, { "data-chosen": index === now }));
      place(); // after that, for the chosen name is wider
    },
    /** Show what is pointed at. @param {string | null} family */
    point(family) {
      for (const mark of marks.children) put(mark, { "data-pointed": mark.getAttribute("data-key") === family });
    },
    destroy: endWidth,
  };
}
