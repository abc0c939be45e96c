/** Numbers with three digits at a glance, and with all of them while a reader points at a part or has the focus in it. */
import { full, short } from "../../shared/format.js";

/**
 * @param {HTMLElement} element
 * @param {() => void} onChange
 * @returns {() => (value: number) => string} how numbers are written now
 */
export function createPrecision(element, onChange) {
  for (const event of ["focusin", "focusout", "pointerenter", "pointerleave"]) element.addEventListener(event, () => queueMicrotask(onChange));
  return () => (element.matches(":hover, :focus-within") ? full : short);
}
