/**
 * The shapes that several modules share. No code.
 *
 * @typedef {import("../../engine/tensors.js").Tensors} Tensors
 * @typedef {import("./rules.js").Settings} Settings
 * @typedef {import("./tree.js").Node} Node
 * @typedef {import("./tree.js").Tree} Tree
 *
 * @typedef {{of: Node, under: Settings, token: number, given: number, chance: number}} Draft  The token that is drawn after
 *   a text; its probability for the model, and among what can be drawn. A run that writes fast asks for no more.
 * @typedef {{of: Node, under: Settings, uniform: number, outputs: Tensors}} Sample  All that it is drawn from, by the graph
 *   `sampling`, and the number that decides.
 *
 * @typedef {{tokens: number, milliseconds: number}} Run  What it wrote, and how long it took.
 *
 * @typedef {object} Shown  Everything that a view draws.
 * @property {string} prompt
 * @property {Settings} settings
 * @property {Node} node  Where the reader is.
 * @property {Node[]} path  The text so far.
 * @property {Tree} tree
 * @property {Sample} sample
 * @property {number} computed  Positions that were computed to come here; 0 where the tree remembers.
 * @property {boolean} waiting  Whether numbers are on their way.
 * @property {"step" | "fast" | null} running  Whether a run is on, and at which pace.
 * @property {Run | null} run  Of the last fast run, until something else is done.
 * @property {boolean} full  Whether the context holds no more.
 */
export {};
