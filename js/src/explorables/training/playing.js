/**
 * Continuous training: some steps per picture, never more than the last ones have shown that there is time for. A reader who
 * asked for less motion takes fifty steps at once instead.
 */

/** Steps of the slow beginning, one per picture, in which most happens. */
const SLOW = 100;
/** Steps per picture after it, at most; milliseconds that a picture may take. */
const FAST = 4;
const TIME = 70;
/** Steps at once under reduced motion. */
const LEAP = 50;

/**
 * @param {import("./trainer.js").Trainer} trainer
 * @param {MediaQueryList} motion
 * @param {() => void} onChange
 */
export function createRunner(trainer, motion, onChange) {
  /** @type {number | null} */
  let frame = null;
  let steps = 1;
  let asked = 0;

  const stop = () => {
    if (frame === null) return;
    cancelAnimationFrame(frame);
    frame = null;
    trainer.setPlaying(false);
    onChange();
  };
  const tick = () => {
    frame = requestAnimationFrame(tick);
    if (!trainer.settled()) return;
    const shown = trainer.shown();
    if (!shown) return;
    const { step } = shown.state;
    const took = performance.now() - asked;
    steps = step < SLOW ? 1 : Math.max(1, Math.min(FAST, took > TIME ? steps - 1 : steps + 1));
    asked = performance.now();
    trainer.goTo(step + steps);
    // Nothing is beyond the last step, nor beyond a loss that is no number.
    if (trainer.wanted().step === step) stop();
  };
  return {
    get playing() {
      return frame !== null;
    },
    stop,
    toggle() {
      if (motion.matches) trainer.goTo(trainer.wanted().step + LEAP);
      else if (frame !== null) stop();
      else {
        trainer.setPlaying(true);
        frame = requestAnimationFrame(tick);
        onChange();
      }
    },
  };
}
