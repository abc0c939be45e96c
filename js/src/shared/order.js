/** Which of some numbers are the largest. */

/** The place of the largest number, of equal ones the first. @param {ArrayLike<number>} values */
export function strongest(values) {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (Number(values[i]) > Number(values[best])) best = i;
  return best;
}

/** The places of the largest numbers, the largest first. @param {Float32Array} values  @param {number} count */
export const largest = (values, count) =>
  [...values.keys()].sort((one, other) => Number(values[other]) - Number(values[one]) || one - other).slice(0, count);
