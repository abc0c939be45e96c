/**
 * Many calls in one turn become one, at its end.
 * @param {() => void} callback
 */
export function oncePerTurn(callback) {
  let called = false;
  return () => {
    if (called) return;
    called = true;
    queueMicrotask(() => {
      called = false;
      callback();
    });
  };
}
