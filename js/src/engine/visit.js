/**
 * What this tab has loaded so far, over all pages of the book: the browser keeps it, and needs no network for it.
 */
const KEY = "dlcompare-loaded";

export function createVisit() {
  /** @returns {string[]} */
  const read = () => {
    try {
      const kept = JSON.parse(sessionStorage.getItem(KEY) ?? "[]");
      return Array.isArray(kept) ? kept : [];
    } catch {
      return []; // a browser that keeps nothing
    }
  };
  const known = new Set(read());
  return {
    /** @param {string[]} addresses */
    knows: (addresses) => addresses.every((address) => known.has(address)),
    /** @param {string[]} addresses */
    remember(addresses) {
      if (this.knows(addresses)) return;
      for (const address of addresses) known.add(address);
      try {
        sessionStorage.setItem(KEY, JSON.stringify([...known]));
      } catch {
        // It is only slower then.
      }
    },
  };
}
