/** What the signs in the chart mean; those that do not occur now are left out. */
import { h, put } from "../../shared/dom.js";

const SIGNS = ["solid", "dashed", "band", "new", "seed", "out", "beaten", "reference"];

/** @param {import("../../shared/format.js").Translate} text  @param {import("./rules.js").Given} given */
export function createLegend(text, given) {
  const words = Object.fromEntries(SIGNS.map((sign) => [sign, h("span", {}, text(`legend_${sign}`))]));
  const entries = Object.fromEntries(
    SIGNS.map((sign) => [sign, h("span", { "data-sign": sign }, h("span", { class: `dlc-scaling-sign is-${sign}`, "aria-hidden": "true" }), words[sign])]),
  );
  return {
    element: h("p", { class: "dlc-signs" }, ...Object.values(entries)),
    /** @param {import("../../shared/explorable.js").State} state  @param {import("./fits.js").Fit[]} fits */
    draw(state, fits) {
      const line = fits.some(({ there }) => there);
      const out = fits.some(({ keep }) => keep.includes(false));
      const beaten = (given.others[state["over"]] ?? []).some(({ family }) => fits.some((fit) => fit.family === family));
      const occurs = /** @type {Record<string, boolean>} */ ({ solid: line, dashed: line, band: line, new: line, seed: true, out, beaten, reference: true });
      for (const sign of SIGNS) put(/** @type {Element} */ (entries[sign]), { hidden: !occurs[sign] });
      const reference = /** @type {HTMLElement} */ (words["reference"]);
      reference.textContent = text("legend_reference", { alpha: Number(given.references[state["over"]]), family: text(fits[0]?.family ?? "") });
    },
  };
}
