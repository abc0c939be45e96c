/** Values as a small image: one pixel each, which the style sheet enlarges without smoothing. */

/**
 * @param {HTMLCanvasElement} canvas
 * @param {number} width
 * @param {ArrayLike<number>} values  Row by row.
 * @param {(value: number) => string | null} colour  `#rrggbb`; null leaves the pixel clear.
 */
export function paint(canvas, width, values, colour) {
  const height = values.length / width;
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  const image = new ImageData(width, height);
  const { data } = image;
  for (let index = 0; index < values.length; index++) {
    const fill = colour(/** @type {number} */ (values[index]));
    if (fill === null) continue;
    const channels = parseInt(fill.slice(1), 16);
    data[4 * index] = channels >> 16;
    data[4 * index + 1] = (channels >> 8) & 255;
    data[4 * index + 2] = channels & 255;
    data[4 * index + 3] = 255;
  }
  canvas.getContext("2d")?.putImageData(image, 0, 0);
}

/** The largest size among finite values. @param {...ArrayLike<number>} all */
export const largest = (...all) =>
  all.flatMap((values) => Array.from(values)).reduce((most, value) => (Number.isFinite(value) ? Math.max(most, Math.abs(value)) : most), 0);
