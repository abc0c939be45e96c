/** The numbers that decide: for each place of a text the seed gives one, whatever stands before that place. */
import { createChance } from "../chance.js";

/** @param {number} seed */
export function createNumbers(seed) {
  const chance = createChance(seed);
  /** @type {number[]} */
  const numbers = [];
  return {
    seed,
    /** The number for a place, in [0, 1). @param {number} place  Counted from 0. */
    at(place) {
      while (numbers.length <= place) numbers.push(chance.uniform());
      return /** @type {number} */ (numbers[place]);
    },
  };
}
