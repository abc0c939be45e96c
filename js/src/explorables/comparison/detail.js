/**
 * One family: its rank, its figures with their interval and single runs, how it was made, and how its training went.
 *
 * @typedef {import("./rules.js").Row} Row
 * @typedef {import("./rules.js").Family} Family
 */
import { h, put } from "../../shared/dom.js";
import { createFamilyMark } from "../../shared/family_mark.js";
import { full, short } from "../../shared/format.js";
import { createCurve } from "./curve.js";
import { AXES } from "./rules.js";

/**
 * @param {import("../../shared/format.js").Translate} text
 * @param {(family: string) => Family} named
 * @param {string[]} machines  With versions; rows name them by their numbers.
 */
export function createDetail(text, named, machines) {
  const mark = h("span", {});
  const name = h("span", {});
  const rank = h("p", { class: "dlc-comparison-rank-line" });
  const figures = h("dl", { "data-part": "figures" });
  const setup = h("dl", { "data-part": "setup" });
  const tried = h("div", { "data-part": "tried" });
  const curve = createCurve(text);
  const element = h(
    "section",
    { class: "dlc-part dlc-comparison-detail", "aria-label": text("detail") },
    h("p", { class: "dlc-comparison-name" }, mark, name),
    rank,
    h("div", { class: "dlc-comparison-columns" }, h("div", {}, figures, setup), h("div", {}, tried, curve.element)),
  );

  /** A line of a list: what it is, a number in short, and words after it. @param {string} key  @param {string} label  @param {number | string | null} value  @param {string} [words] */
  const line = (key, label, value, words = "") => [
    h("dt", {}, label),
    h(
      "dd",
      { "data-part": key, ...(typeof value === "number" ? { "data-value": value, title: full(value) } : {}) },
      typeof value === "number" ? written(value) : (value ?? text("not_counted")),
      words ? h("span", { class: "dlc-comparison-soft" }, ` ${words}`) : null,
    ),
  ];
  /** Counts in full, other numbers in short. @param {number} value */
  const written = (value) => (Number.isInteger(value) && value < 1e9 ? value.toLocaleString("en") : short(value));
  /** Which numbers there are, each once. @param {number[]} numbers */
  const distinct = (numbers) => [...new Set(numbers)].map(full).join(", ");

  /** @param {Row} row */
  function intervalOf(row) {
    if (row.fixed) return text("interval_fixed");
    if (!row.interval) return text("interval_unknown");
    const [low, high] = row.interval.map(short);
    return row.asked === null ? text("interval", { low, high }) : text("interval_asked", { low, high, count: row.asked });
  }
  /** @param {Row} row  @param {string} metric */
  function drawFigures(row, metric) {
    const trained = row.setup.rate !== null;
    const values = row.runs.map(({ at }) => short(Number(at[0]))).join(", ");
    const words = /** @type {Record<string, string>} */ ({ seconds: text(trained ? "seconds_trained" : "seconds_method") });
    figures.replaceChildren(
      ...AXES.flatMap((axis, index) => {
        const value = row.at[index] ?? null;
        if (index === 0) return line(axis, metric, value, `${intervalOf(row)}${row.runs.length > 1 ? `; ${text("seeds", { values })}` : ""}`);
        return line(axis, text(`axis_${axis}`), axis === "flops" && value === null && !trained ? text("not_trained") : value, value === null ? "" : words[axis]);
      }),
    );
    put(/** @type {Element} */ (figures.querySelector("[data-part=quality]")), { "data-low": row.interval?.[0] ?? null, "data-high": row.interval?.[1] ?? null, "data-values": row.runs.map(({ at }) => at[0]).join(" ") });
  }
  /** @param {Row} row */
  function drawSetup({ setup: of, runs, made }) {
    const steps = runs.map((run) => run.steps).filter((count) => count > 0);
    const lines = /** @type {[string, number | string | null][]} */ ([
      ["model", of.model],
      ["width", of.width],
      ["layers", of.layers],
      ["sizes", of.sizes || null],
      ["steps", steps.length ? distinct(steps) : null],
      ["batch", of.batch],
      ["rate", of.rate === null ? null : full(of.rate)],
      ["decay", of.decay === null ? null : full(of.decay)],
      ["made", made.map((number) => machines[number]).join(" / ")],
    ]);
    setup.replaceChildren(...lines.filter(([, value]) => value !== null).flatMap(([key, value]) => line(key, text(key), value)));
  }
  /** @param {Row} row */
  function drawTried({ setup: { tried: rates, rate } }) {
    const head = h("tr", {}, h("th", { scope: "col" }, text("tried_rate")), h("th", { scope: "col" }, text("tried_loss")));
    const rows = rates.map(([one, loss]) =>
      h(
        "tr",
        { "data-rate": one, "data-chosen": one === rate },
        h("th", { scope: "row" }, full(one)),
        h("td", loss === null ? {} : { "data-value": loss, title: full(loss) }, loss === null ? text("tried_none") : short(loss), one === rate ? h("span", { class: "dlc-comparison-soft" }, ` ${text("tried_chosen")}`) : null),
      ),
    );
    tried.replaceChildren(...(rates.length ? [h("p", { class: "dlc-part-title" }, text("tried")), h("table", {}, h("thead", {}, head), h("tbody", {}, ...rows))] : []));
  }

  return {
    element,
    /**
     * @param {Row} row
     * @param {number} count  Families in the picture.
     * @param {string} metric
     * @param {boolean} pointed  Whether a hand only points at it.
     */
    draw(row, count, metric, pointed) {
      const { title, group } = named(row.family);
      put(element, { "data-key": row.family, "data-pointed": pointed, "data-family": group, "data-rank": row.rank });
      mark.replaceChildren(createFamilyMark(group, 16));
      name.textContent = title;
      const better = row.better.map((family) => named(family).title).join(", ");
      rank.textContent = row.rank === 1 ? text("rank_first", { count }) : text("rank_later", { rank: row.rank, count, better });
      drawFigures(row, metric);
      drawSetup(row);
      drawTried(row);
      curve.draw(row, title);
    },
    destroy: curve.destroy,
  };
}
