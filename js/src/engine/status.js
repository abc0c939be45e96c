/**
 * What the engine is doing, in a line below the figure: how much is loaded, who computed, and, when something went wrong,
 * a sentence that says what, with a button to try again. The figure above keeps what it last showed.
 */
import { h, OWN_KEYS, put } from "../shared/dom.js";
import { short } from "../shared/format.js";

const MEGABYTE = 1e6;

/**
 * @param {import("./engine.js").Engine} engine
 * @param {import("../shared/format.js").Translate} text
 */
export function createEngineStatus(engine, text) {
  const sentence = h("span", {});
  const bar = h("progress", { class: "dlc-progress", max: 1, hidden: true, "aria-label": text("engine_loading_label") });
  const detail = h("small", { class: "dlc-engine-detail" });
  const retry = h("button", { type: "button", ...OWN_KEYS, "data-control": "retry", hidden: true, onclick: () => engine.retry() }, text("retry"));
  const alert = h("div", { class: "dlc-engine-failure", role: "alert" });
  const element = h("div", { class: "dlc-engine", "data-engine": "idle" }, alert, sentence, bar, detail, retry);

  let held = false;
  /** @param {import("./engine.js").Status} status */
  function draw({ phase, progress, failure, answer, answers }) {
    if (held && phase !== "loading" && phase !== "failed") return;
    const by = { "data-answered-by": answer?.by ?? null, "data-answers": answers };
    put(element, { "data-engine": phase, ...by, "data-failure": failure?.code ?? null });
    retry.hidden = phase !== "failed";
    bar.hidden = phase !== "loading";
    const wrong = failure ? text(`engine_${failure.code.replaceAll("-", "_")}`) : "";
    if (alert.textContent !== wrong) alert.textContent = wrong;
    detail.textContent = failure?.message ?? "";
    if (phase === "loading" && progress) {
      const loaded = (progress.loaded / MEGABYTE).toFixed(1);
      const total = (progress.total / MEGABYTE).toFixed(1);
      if (progress.total) put(bar, { value: progress.loaded / progress.total });
      else bar.removeAttribute("value");
      sentence.textContent = progress.total ? text("engine_loading", { loaded, total }) : text("engine_loading_some", { loaded });
    } else if (failure || !answer) sentence.textContent = "";
    else sentence.textContent = text(`engine_by_${answer.by}`, { milliseconds: short(Number(answer.milliseconds.toPrecision(2))) });
  }
  const end = engine.subscribe(draw);
  return {
    element,
    /** Leave out what comes and goes with every answer, while there are hundreds in a second. @param {boolean} on */
    hold(on) {
      if (held === on) return;
      held = on;
      draw(engine.status());
    },
    destroy: end,
  };
}
