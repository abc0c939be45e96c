/** Plays a sequence of steps: slow enough at first to follow each one, then fast enough to see the whole. */

/** Milliseconds for each of the first steps, and for each of the others. */
const PACE = { slow: 220, fast: 40 };
const SLOW_STEPS = 12;

/**
 * @param {() => boolean} step  Takes one step; false when it was the last.
 * @param {(playing: boolean) => void} onChange
 * @param {{slow: number, fast: number}} [pace]
 */
export function createPlayer(step, onChange, { slow, fast } = PACE) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  let taken = 0;

  const stop = () => {
    if (timer === undefined) return;
    clearTimeout(timer);
    timer = undefined;
    onChange(false);
  };
  const tick = () => {
    taken += 1;
    if (!step()) stop();
    else timer = setTimeout(tick, taken < SLOW_STEPS ? slow : fast);
  };
  return {
    get playing() {
      return timer !== undefined;
    },
    start() {
      if (timer !== undefined) return;
      taken = 0;
      timer = setTimeout(tick, slow);
      onChange(true);
    },
    stop,
  };
}
