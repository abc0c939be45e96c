/** The states before the last changes, which can be taken back one by one. */

/** Changes that are kept. */
const KEPT = 200;

/** @template State */
export class Past {
  /** @type {State[]} */
  #before = [];

  /** @param {State} state  As it was before a change. */
  remember(state) {
    this.#before = [...this.#before, state].slice(-KEPT);
  }
  /** Whether there is something to go back to. */
  get any() {
    return this.#before.length > 0;
  }
  /** The state before the last change, which is forgotten with it; undefined when there is none. */
  back() {
    return this.#before.pop();
  }
}
