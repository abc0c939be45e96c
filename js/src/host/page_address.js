/**
 * An explorable's state in the page's address: `#explorable-convolution?image=3&stride=2`.
 *
 * It stands in the fragment, so that no server sees it, nothing is loaded anew when it changes, and a chapter's text can link
 * to a state of a figure on the same page.
 */

/**
 * Take a fragment apart.
 * @param {string} hash  With or without `#`.
 * @returns {{id: string, parameters: Record<string, string>}}
 */
export function parseFragment(hash) {
  const fragment = hash.replace(/^#/, "");
  const cut = fragment.indexOf("?");
  if (cut < 0) return { id: fragment, parameters: {} };
  const query = fragment.slice(cut + 1).replaceAll("+", "%2B");
  return { id: fragment.slice(0, cut), parameters: Object.fromEntries(new URLSearchParams(query)) };
}

/**
 * @param {string} id
 * @param {Record<string, string>} parameters
 */
export function writeFragment(id, parameters) {
  // Commas and semicolons may stand in a fragment as they are, and are easier to read so.
  const write = (/** @type {string} */ text) => encodeURIComponent(text).replaceAll("%2C", ",").replaceAll("%3B", ";");
  const pairs = Object.entries(parameters).map(([key, value]) => `${write(key)}=${write(value)}`);
  return `#${id}?${pairs.join("&")}`;
}

/**
 * The page as one explorable sees it.
 * @param {string} id  Its container's.
 * @returns {import("../shared/types.js").Address}
 */
export function createPage(id) {
  const parameters = () => {
    const fragment = parseFragment(location.hash);
    return fragment.id === id ? fragment.parameters : {};
  };
  return {
    parameters,
    link(values) {
      const url = new URL(location.href);
      url.hash = writeFragment(id, values);
      history.replaceState(history.state, "", url);
      return url.href;
    },
    onChange(callback) {
      const onHash = () => {
        if (Object.keys(parameters()).length) callback(parameters());
      };
      addEventListener("hashchange", onHash);
      return () => removeEventListener("hashchange", onHash);
    },
  };
}
