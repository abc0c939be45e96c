/**
 * Tells how wide an element is, in whole pixels, at once and when that changes.
 * @param {HTMLElement} element
 * @param {(width: number) => void} onWidth
 * @returns {() => void} what ends it
 */
export function followWidth(element, onWidth) {
  let width = 0;
  const observer = new ResizeObserver(([entry]) => {
    const next = Math.round(entry?.contentRect.width ?? 0);
    if (next !== width) onWidth((width = next));
  });
  observer.observe(element);
  return () => observer.disconnect();
}
