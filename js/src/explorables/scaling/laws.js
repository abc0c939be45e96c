/**
 * What the fits say in words: for each family its exponent with its interval, what the literature reports, and for each point
 * left out what the line foresees beside what was measured.
 *
 * @typedef {import("./fits.js").Fit} Fit
 * @typedef {import("./rules.js").Given} Given
 */
import { h, put } from "../../shared/dom.js";
import { createFamilyMark } from "../../shared/family_mark.js";
import { full, short } from "../../shared/format.js";
import { along } from "./rules.js";

/** @param {import("../../shared/format.js").Translate} text  @param {Given} given */
export function createLaws(text, given) {
  const cards = Object.keys(given.families).map((family) => {
    const law = h("p", { class: "dlc-scaling-law" });
    const [tenfold, counted] = [h("p", {}), h("p", { class: "dlc-scaling-soft" })];
    const head = h("p", { class: "dlc-scaling-name" }, createFamilyMark(given.families[family] ?? "", 13), text(family));
    return { family, law, tenfold, counted, element: h("section", { class: "dlc-scaling-card", "data-family": given.families[family] ?? "", "data-law": family }, head, law, tenfold, counted) };
  });
  const reference = h("p", {});
  const literature = h("section", { class: "dlc-scaling-card is-reference" }, h("p", { class: "dlc-scaling-name" }, text("literature")), reference);
  const verdicts = h("ul", { class: "dlc-scaling-verdicts", "aria-label": text("verdicts") });
  const element = h("div", { class: "dlc-scaling-laws", role: "group", "aria-label": text("laws") }, ...cards.map((card) => card.element), literature);

  return {
    element,
    verdicts,
    /** @param {import("../../shared/explorable.js").State} state  @param {Fit[]} fits */
    draw(state, fits) {
      const over = text(state["over"]);
      for (const { family, law, tenfold, counted, element: card } of cards) {
        const fit = fits.find((one) => one.family === family);
        card.hidden = !fit;
        if (!fit) continue;
        const numbers = ["alpha", "alpha_low", "alpha_high"].map(fit.one);
        const said = fit.there ? Object.fromEntries(["alpha", "low", "high"].map((key, at) => [key, short(Number(numbers[at]))])) : {};
        law.textContent = fit.there ? text("exponent", said) : text("too_few_here", { fewest: given.fewest });
        put(law, { "data-values": fit.there ? numbers.join(" ") : null, title: fit.there ? numbers.map(full).join("; ") : null });
        tenfold.textContent = fit.there ? text("tenfold", { over, tenfold: short(fit.one("tenfold")) }) : "";
        put(tenfold, { "data-value": fit.there ? fit.one("tenfold") : null, title: fit.there ? full(fit.one("tenfold")) : null });
        const kept = fit.keep.filter(Boolean).length;
        counted.textContent = text("counted", { kept, all: fit.members.length });
        put(counted, { "data-count": kept });
      }
      const alpha = Number(given.references[state["over"]]);
      reference.textContent = text(`reference_${state["over"]}`, { alpha });
      put(reference, { "data-value": alpha });
      verdicts.replaceChildren(
        ...fits.flatMap((fit) =>
          fit.members.flatMap((index, at) => {
            const told = fit.at(index);
            const point = given.points[index];
            if (fit.keep[at] || !told || !point) return [];
            const where = point.bits < told.low ? "below" : point.bits > told.high ? "above" : "inside";
            const numbers = [told.line, told.low, told.high, point.bits];
            const [line, low, high, bits] = /** @type {[string, string, string, string]} */ (numbers.map(short));
            const said = text("verdict", { family: text(fit.family), x: along(state["over"], point.x), over, line, low, high, bits, where: text(where) });
            return [h("li", { "data-verdict": index, "data-where": where, "data-values": numbers.join(" "), title: numbers.map(full).join("; ") }, said)];
          }),
        ),
      );
    },
  };
}
