/** Copies a link; where the browser refuses the clipboard, the link stands in the address bar all the same. */

/**
 * @param {string} link
 * @param {import("./format.js").Translate} text
 * @returns {Promise<string>} what to tell the reader
 */
export async function shareLink(link, text) {
  try {
    await navigator.clipboard.writeText(link);
    return text("link_copied");
  } catch {
    return text("link_in_address");
  }
}
