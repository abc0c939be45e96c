/**
 * Byte-pair encoding of one word (Sennrich et al. 2016): of all neighbours that can be merged, those whose merge was
 * learned first are, and among equals the leftmost, until no more can be. With a queue of candidates a word of n bytes
 * takes n log n steps; there are languages, and jokes, whose words are as long as the text.
 */

/** A pair of ids, and an entry of the queue, are one number each, which is below 2⁵³ with ids below 2²¹. */
const IDS = 2 ** 21;
const PLACES = 2 ** 32;

/** @typedef {ReturnType<typeof createMerger>} Merger */

export function createMerger() {
  /** @type {Map<number, number>} */
  const ranks = new Map();
  /** @type {number[]} */
  const merged = [];

  return {
    /**
     * Let two neighbours be merged; what is added later ranks lower.
     * @param {number} left
     * @param {number} right
     * @param {number} id  what becomes of them
     */
    add(left, right, id) {
      ranks.set(left * IDS + right, merged.length);
      merged.push(id);
    },

    /**
     * @param {number[]} symbols  ids of a word's bytes
     * @param {number} [first]  how many of the merges there are, those that were learned first; without it all
     * @param {(rank: number) => void} [onMerge]  hears of each merge as it happens
     * @returns {number[]}
     */
    merge(symbols, first = merged.length, onMerge) {
      const ids = [...symbols];
      // Neighbours by place; a place that was merged into the one before it holds no id any more.
      const next = ids.map((_, place) => place + 1);
      const previous = ids.map((_, place) => place - 1);
      const queue = createQueue();
      const rankAt = (/** @type {number} */ place) => ranks.get(ids[place] * IDS + ids[next[place]]);
      const offer = (/** @type {number} */ place) => {
        const rank = rankAt(place);
        if (rank !== undefined && rank < first) queue.push(rank * PLACES + place);
      };
      ids.forEach((_, place) => offer(place));
      for (let least = queue.pop(); least !== undefined; least = queue.pop()) {
        const place = least % PLACES;
        const rank = (least - place) / PLACES;
        if (rankAt(place) !== rank) continue; // a merge beside it has changed the pair since
        const gone = next[place];
        onMerge?.(rank);
        ids[place] = merged[rank];
        ids[gone] = NaN;
        next[place] = next[gone];
        previous[next[gone]] = place;
        offer(place);
        if (place > 0) offer(previous[place]);
      }
      return ids.filter((id) => !Number.isNaN(id));
    },
  };
}

/** A binary heap of numbers, the least first. */
function createQueue() {
  /** @type {number[]} */
  const heap = [];
  return {
    /** @param {number} value */
    push(value) {
      let at = heap.length;
      while (at > 0) {
        const above = (at - 1) >> 1;
        if (heap[above] <= value) break;
        heap[at] = heap[above];
        at = above;
      }
      heap[at] = value;
    },

    pop() {
      const least = heap[0];
      const value = /** @type {number} */ (heap.pop());
      if (heap.length === 0) return least;
      let at = 0;
      for (let below = 1; below < heap.length; below = 2 * at + 1) {
        if (below + 1 < heap.length && heap[below + 1] < heap[below]) below++;
        if (heap[below] >= value) break;
        heap[at] = heap[below];
        at = below;
      }
      heap[at] = value;
      return least;
    },
  };
}
