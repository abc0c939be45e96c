/**
 * The static host: mounts the explorables of a published page, where there is no kernel and no Jupyter.
 *
 * Each container carries its first state as JSON and a figure. Once the container comes near the view, its module is loaded
 * and takes the figure's place; if that fails, the figure stays, with a sentence that says so and a button to try again.
 */
import { createPageEngine } from "../engine/page_runner.js";
import { h } from "../shared/dom.js";
import { translator } from "../shared/format.js";
import { createPage, parseFragment } from "./page_address.js";
import { createPlainModel } from "./plain_model.js";

/** @typedef {{default: {render: (context: import("../shared/types.js").RenderContext) => unknown}}} Module */

const NEAR = "300px";

/** What the build names in the script's own tag: where the modules are, and the engine's program. */
const tag = /** @type {HTMLElement | null} */ (document.querySelector("script[data-dlcompare-modules]"));
/** @type {Record<string, string>} */
const modules = JSON.parse(tag?.dataset["dlcompareModules"] ?? "{}");
/** @param {string | undefined} name */
const address = (name) => new URL(name ?? "", import.meta.url).href;
const createPageRunner = createPageEngine({
  worker: address(tag?.dataset["dlcompareWorker"]),
  wasm: address(tag?.dataset["dlcompareWasm"]),
});

/** The graphs that an explorable may ask, with their files' addresses. @param {HTMLElement} container */
function graphsOf(container) {
  /** @type {Record<string, import("../engine/page_runner.js").GraphFiles>} */
  const graphs = JSON.parse(container.dataset["graphs"] ?? "{}");
  const beside = (/** @type {string} */ file) => address(`graphs/${file}`);
  return Object.fromEntries(
    Object.entries(graphs).map(([name, { graph, weights, bytes }]) => [
      name,
      { graph: beside(graph), weights: weights === null ? null : beside(weights), bytes },
    ]),
  );
}

/**
 * @param {string} name
 * @param {number} attempt  A browser may remember that an address failed; a new attempt needs a new address.
 * @returns {Promise<Module>}
 */
function load(name, attempt) {
  const file = modules[name];
  if (!file) throw new Error(`data-module is ${JSON.stringify(name)}; this page has ${Object.keys(modules).join(", ")}`);
  const url = new URL(file, import.meta.url);
  if (attempt) url.searchParams.set("attempt", String(attempt));
  return import(url.href);
}

/** @param {HTMLElement} container */
async function mount(container, attempt = 0) {
  container.querySelector(":scope > .dlcompare-failure")?.remove();
  const live = h("div", { class: "dlcompare-live" });
  let text = translator({});
  try {
    const state = JSON.parse(container.querySelector(":scope > script.dlcompare-state")?.textContent ?? "");
    text = translator(state.strings);
    const module = await load(container.dataset["module"] ?? "", attempt);
    container.append(live);
    // Shown before it renders, so that it can measure itself; nothing is painted in between.
    container.classList.add("is-live");
    const page = { ...createPage(container.id), runner: createPageRunner(graphsOf(container)) };
    module.default.render({ model: createPlainModel(state), el: live, page });
    if (parseFragment(location.hash).id === container.id) container.scrollIntoView();
  } catch (error) {
    live.remove();
    container.classList.remove("is-live");
    const detail = error instanceof Error ? error.message : String(error);
    console.warn(`${container.id}: ${detail}`);
    const retry = h("button", { type: "button", onclick: () => void mount(container, attempt + 1) }, text("retry"));
    const sentence = h("p", {}, text("failed"), " ", h("small", {}, detail));
    container.append(h("div", { class: "dlcompare-failure", role: "alert" }, sentence, retry));
  }
}

const observer = new IntersectionObserver(
  (entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      observer.unobserve(target);
      void mount(/** @type {HTMLElement} */ (target));
    }
  },
  { rootMargin: NEAR },
);
const containers = /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(".dlcompare-explorable"));
for (const container of containers) observer.observe(container);
const whenIdle = globalThis.requestIdleCallback ?? ((/** @type {() => void} */ callback) => setTimeout(callback, 300));
whenIdle(() => {
  for (const container of containers) createPageRunner(graphsOf(container)).prepare?.();
});

/** A link to a state is not the id of an element, so that the browser does not go there by itself. */
function goToLinked() {
  const { id } = parseFragment(location.hash);
  for (const container of containers) if (container.id === id) container.scrollIntoView();
}
addEventListener("hashchange", goToLinked);
goToLinked();
