/** A family's mark: its shape, as in the book's figures (`dlcompare.style.MARKER`), and its colour, of `families.css`. */
import { s } from "./dom.js";

/** Around 0, about 12 wide. */
export const MARKS = /** @type {Record<string, string>} */ ({
  baseline: "M-4.5,-4.5L4.5,4.5M-4.5,4.5L4.5,-4.5",
  mlp: "M-4.8,-4.8h9.6v9.6h-9.6z",
  cnn: "M0,-6.4L6.4,0L0,6.4L-6.4,0z",
  recurrent: "M0,-6L6,4.8H-6z",
  transformer: "M0,6L6,-4.8H-6z",
  gpt: "M-5.4,0a5.4,5.4 0 1,0 10.8,0a5.4,5.4 0 1,0 -10.8,0z",
});

/** @param {string} family  @param {number} [size]  In pixels. */
export const createFamilyMark = (family, size = 14) =>
  s("svg", { class: "dlc-family-mark", "data-family": family, width: size, height: size, viewBox: "-7 -7 14 14", "aria-hidden": "true" }, s("path", { d: MARKS[family] ?? MARKS["gpt"] }));
