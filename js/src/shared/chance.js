/**
 * Chance that can be repeated: the twin of Python's `dlcompare.chance`, which tells what it computes and names the
 * papers. The same seed or state gives the same numbers, bit by bit.
 */

/** @typedef {[number, number, number, number]} State  The four words of 32 bits that determine all further draws. */

/**
 * @typedef {object} Chance
 * @property {() => number} uint32  Draws an integer from 0 to 2³² − 1.
 * @property {() => number} uniform  Draws a number in [0, 1) with 53 bits, from two draws.
 * @property {(n: number) => number[]} permutation  Draws an order of the integers from 0 to n − 1.
 * @property {State} state  A copy of the words; set it to go on from there.
 */

const LARGEST_WORD = 2 ** 32 - 1;

/**
 * @param {number} word
 * @param {number} places
 */
const rotated = (word, places) => (word << places) | (word >>> (32 - places));

/**
 * The first two numbers of SplitMix64 as four words, the low half of each first. Once per seed, so 64-bit integers may
 * be slow.
 * @param {number} seed
 * @returns {State}
 */
function spread(seed) {
  const wrap = (/** @type {bigint} */ value) => BigInt.asUintN(64, value);
  const halves = [1n, 2n].flatMap((step) => {
    const state = wrap(BigInt(seed) + step * 0x9e3779b97f4a7c15n);
    let z = wrap((state ^ (state >> 30n)) * 0xbf58476d1ce4e5b9n);
    z = wrap((z ^ (z >> 27n)) * 0x94d049bb133111ebn);
    z ^= z >> 31n;
    return [Number(BigInt.asUintN(32, z)), Number(z >> 32n)];
  });
  return /** @type {State} */ (halves);
}

/**
 * @param {number} seed  an integer from 0 to 2⁵³ − 1
 * @returns {Chance}
 */
export function createChance(seed) {
  if (!Number.isSafeInteger(seed) || seed < 0)
    throw new RangeError(`seed is ${seed}; allowed are the integers from 0 to ${Number.MAX_SAFE_INTEGER}`);
  let [a, b, c, d] = spread(seed);

  function uint32() {
    const drawn = Math.imul(rotated(Math.imul(b, 5), 7), 9) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = rotated(d, 11);
    return drawn;
  }

  function uniform() {
    const high = uint32() >>> 5;
    return (high * 2 ** 26 + (uint32() >>> 6)) / 2 ** 53;
  }

  return {
    uint32,
    uniform,
    permutation(n) {
      if (!Number.isSafeInteger(n) || n < 0) throw new RangeError(`n is ${n}; allowed are integers of at least 0`);
      const order = Array.from({ length: n }, (_, place) => place);
      for (let last = n - 1; last > 0; last--) {
        const chosen = Math.floor(uniform() * (last + 1));
        [order[last], order[chosen]] = /** @type {[number, number]} */ ([order[chosen], order[last]]);
      }
      return order;
    },
    get state() {
      return /** @type {State} */ ([a >>> 0, b >>> 0, c >>> 0, d >>> 0]);
    },
    set state(words) {
      const allowed = (/** @type {unknown} */ word) =>
        typeof word === "number" && Number.isInteger(word) && word >= 0 && word <= LARGEST_WORD;
      // A copy has no holes, which `every` would skip. From all zeros the generator would never leave.
      const given = Array.isArray(words) ? Array.from(words) : [];
      if (given.length !== 4 || !given.every(allowed) || !given.some(Boolean))
        throw new RangeError(
          `state is ${JSON.stringify(words)}; allowed are four integers from 0 to ${LARGEST_WORD}, not all of them 0`,
        );
      [a, b, c, d] = words;
    },
  };
}
