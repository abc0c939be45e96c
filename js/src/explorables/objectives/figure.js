/**
 * The figure: what the model reads, with what moves the loss at one position; what the loss asks for; who may see whom; and
 * what the model expects there.
 *
 * @typedef {import("../../shared/explorable.js").Shown} Shown
 * @typedef {import("./rules.js").Row} Row
 *
 * @typedef {object} FigureOptions
 * @property {import("../../shared/format.js").Translate} text
 * @property {{guess: Record<string, number>, right: number | null}} measured
 * @property {(id: number) => string} token  A token as it is shown.
 * @property {(place: number) => void} onLook
 * @property {(place: number) => void} onPress
 * @property {() => Shown | null} shown
 * @property {(shown: Shown) => Row} rowOf
 */
import { at } from "../../engine/tensors.js";
import { h, put } from "../../shared/dom.js";
import { full, short } from "../../shared/format.js";
import { strongest } from "../../shared/order.js";
import { createTokenRow } from "../../shared/token_row.js";
import { createExpected } from "./expected.js";
import { createMap } from "./map.js";
import { askedAt } from "./rules.js";

/** @param {FigureOptions} options */
export function createFigure({ text, measured, token, onLook, onPress, shown, rowOf }) {
  /** Where the mouse is. @type {number | null} */
  let pointed = null;
  const point = (/** @type {number | null} */ place) => {
    pointed = place;
    const now = shown();
    if (now) drawReadout(now, rowOf(now));
  };
  const reads = createTokenRow({ label: text("reads"), name: "reads", onPick: onLook, onPress, onPoint: point, onLeave: () => point(null) });
  /** @type {number[]} */
  let places = [];
  const asks = createTokenRow({ label: text("asks"), name: "asks", onPick: (index) => onLook(Number(places[index])) });
  const readsTitle = h("div", { class: "dlc-part-title" });
  const asksTitle = h("div", { class: "dlc-part-title" });
  const readout = h("p", { class: "dlc-readout", "data-readout": "influence" });
  const loss = h("p", { class: "dlc-objectives-loss", "data-readout": "loss" });
  const map = createMap(text, onLook);
  const expected = createExpected(text, measured, token);
  const root = h(
    "div",
    {},
    h("div", { class: "dlc-part" }, readsTitle, reads.element, readout),
    h("div", { class: "dlc-part dlc-objectives-asks" }, asksTitle, asks.element, loss),
    h("div", { class: "dlc-objectives-stage" }, map.element, expected.element),
  );

  const influenceOf = (/** @type {Shown} */ { state, answers }) => answers[state["objective"] === "next" ? "next_influence" : "influence"].data;

  /** @param {Shown} now  @param {Row} row */
  function drawReads(now, row) {
    const { state, wanted, answers, scales } = now;
    const place = state["place"];
    const sees = at(answers["sees"], place);
    const influence = influenceOf(now);
    const most = Number(influence[strongest(influence)]);
    const seen = [...sees].filter(Boolean).length;
    readsTitle.textContent = text(`reads_${state["objective"]}`, { token: row.tokens[place] ?? "", seen, count: row.ids.length });
    reads.draw(
      row.tokens.map((shownToken, index) => {
        const value = Number(influence[index]);
        const size = most > 0 ? value / most : 0;
        const whole = row.wholes[index];
        const key = !sees[index] ? "token_hidden" : row.targets[index] !== -100 && state["objective"] === "masked" ? "token_masked" : "token_seen";
        const described = text(key, { token: shownToken, place: row.tokens[place] ?? "", value: full(value) });
        return {
          text: shownToken,
          describe: described,
          hint: whole ? text("token_part", { character: whole }) : described,
          share: sees[index] ? { value, size, fill: scales.even(size).fill, text: short(value) } : null,
          ...(key === "token_masked" ? { mark: "masked" } : row.segments[index] ? { mark: "second" } : {}),
        };
      }),
      Math.min(wanted["place"], row.ids.length - 1),
    );
    drawReadout(now, row);
  }

  /** @param {Shown} now  @param {Row} row */
  function drawReadout(now, row) {
    const index = pointed !== null && pointed < row.ids.length ? pointed : now.state["place"];
    const key = now.state["objective"] === "next" ? "influence_next" : at(now.answers["sees"], now.state["place"])[index] ? "influence" : "influence_none";
    const value = Number(influenceOf(now)[index]);
    readout.textContent = text(key, { token: row.tokens[index] ?? "", place: row.tokens[now.state["place"]] ?? "", value: full(value) });
  }

  /** @param {Shown} now  @param {Row} row */
  function drawAsks({ state, wanted, answers }, row) {
    const objective = state["objective"];
    const next = objective === "next";
    const losses = answers["losses"].data;
    places = next ? [] : askedAt(row);
    const most = Math.max(...places.map((place) => Number(losses[place])));
    asks.element.hidden = !places.length;
    asksTitle.textContent = text(`asks_${objective}`, { count: places.length, all: row.ids.length });
    asks.draw(
      places.map((place) => {
        const value = Number(losses[place]);
        const words = { target: token(Number(row.targets[place])), place: row.tokens[place] ?? "", p: full(Number(answers["given"].data[place])), loss: full(value) };
        const described = text(`target_${objective}`, words);
        return { text: words.target, describe: described, hint: described, share: { value, size: most > 0 ? value / most : 0, fill: "var(--dlc-family)", text: short(value) } };
      }),
      places.indexOf(wanted["place"]),
    );
    const value = Number(answers[next ? "next_loss" : "loss"].data[0]);
    const key = !next && !places.length ? `loss_none_${objective}` : `loss_${objective}`;
    loss.textContent = text(key, { count: places.length, loss: short(value), guess: short(Number(measured.guess[objective])), label: text(state["follows"] ? "follows" : "not") });
    put(loss, { "data-value": key.startsWith("loss_none") ? null : value, title: full(value) });
  }

  return {
    element: root,
    /** @param {Shown} now */
    draw(now) {
      const row = rowOf(now);
      put(root, { "data-objective": now.state["objective"], "data-place": now.state["place"] });
      drawReads(now, row);
      drawAsks(now, row);
      map.draw(now, row);
      expected.draw(now, row);
    },
  };
}
