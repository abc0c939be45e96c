/**
 * What is to be done, one after the other. A jump gives up what was still to be done: a task asks `wanted` after each answer
 * that it awaited, and ends when that is false.
 *
 * @typedef {(wanted: () => boolean) => Promise<void>} Task
 */

export function createWork() {
  let turn = 0;
  let open = 0;
  let line = Promise.resolve();
  /** @type {() => void} */
  let listener = () => {};
  /** Ends the present pause. @type {() => void} */
  let wake = () => {};

  /** @param {Task} task */
  function add(task) {
    const mine = turn;
    const wanted = () => mine === turn;
    open += 1;
    line = line.then(async () => {
      if (wanted()) await task(wanted);
      if (!wanted()) return;
      open -= 1;
      listener();
    });
    listener();
  }
  function giveUp() {
    turn += 1;
    open = 0;
    line = Promise.resolve();
    wake();
  }
  return {
    add,
    /** @param {Task} task */
    jump(task) {
      giveUp();
      add(task);
    },
    /** Whether anything is being done, or waits for that. */
    active: () => open > 0,
    /** @param {number} milliseconds @returns {Promise<void>} */
    pause: (milliseconds) =>
      new Promise((resolve) => {
        const timer = setTimeout(resolve, milliseconds);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      }),
    wake: () => wake(),
    /** @param {() => void} callback */
    onChange: (callback) => (listener = callback),
    destroy() {
      giveUp();
      listener = () => {};
    },
  };
}
