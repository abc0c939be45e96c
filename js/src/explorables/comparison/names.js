/**
 * Where names stand beside their marks: none on another name or on a mark, each as near to its own as can be.
 *
 * @typedef {{x: number, y: number}} Spot
 * @typedef {{left: number, top: number, right: number, bottom: number}} Box
 * @typedef {{x: number, y: number, width: number, height: number}} Name  Its mark's place, and its own size.
 * @typedef {Spot & {far: number}} Placed  Its top left corner, and how far it is from its mark.
 */

/** Between a mark's middle and its name; how the search goes on: the next distance, and how many directions. */
const NEAR = 14;
const STEP = 6;
const TURNS = 16;
/** How much farther a place counts for what lies under the name but may. */
const UNDER = 12;

/** Whether two lie on each other. */
export const meets = (/** @type {Box} */ one, /** @type {Box} */ other) => one.left < other.right && other.left < one.right && one.top < other.bottom && other.top < one.bottom;

/** @param {Name} name  @param {number} far  @param {number} angle  @returns {Box} */
function boxAt({ x, y, width, height }, far, angle) {
  const [cosine, sine] = [Math.cos(angle), Math.sin(angle)];
  // Its edge, not its middle, keeps the distance.
  const middle = { x: x + cosine * (far + width / 2), y: y + sine * (far + height / 2) };
  return { left: middle.x - width / 2, right: middle.x + width / 2, top: middle.y - height / 2, bottom: middle.y + height / 2 };
}

/**
 * @param {Name[]} names  The first ones choose first.
 * @param {Box} bounds  None leaves it.
 * @param {Box[]} marks  Nothing may lie on these.
 * @param {Box[]} under  On these it may, but would rather not.
 * @returns {(Placed | null)[]}  Null where there is no room at all.
 */
export function placeNames(names, bounds, marks, under = []) {
  /** @type {Box[]} */
  const taken = [...marks];
  const most = Math.hypot(bounds.right - bounds.left, bounds.bottom - bounds.top);
  return names.map((name) => {
    /** @type {{box: Box, far: number, cost: number} | null} */
    let best = null;
    for (let far = NEAR; far < most && (!best || far < best.cost); far += STEP) {
      for (let turn = 0; turn < TURNS; turn++) {
        const box = boxAt(name, far, (2 * Math.PI * turn) / TURNS);
        const inside = bounds.left <= box.left && box.right <= bounds.right && bounds.top <= box.top && box.bottom <= bounds.bottom;
        if (!inside || taken.some((other) => meets(box, other))) continue;
        const cost = far + UNDER * under.filter((other) => meets(box, other)).length;
        if (!best || cost < best.cost) best = { box, far, cost };
      }
    }
    if (!best) return null;
    taken.push(best.box);
    return { x: best.box.left, y: best.box.top, far: best.far };
  });
}
