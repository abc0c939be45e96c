/**
 * The shapes that several modules share. No code.
 *
 * @typedef {Record<string, string>} Strings  The catalogue's texts, keyed without their prefix where it is the widget's own.
 *
 * @typedef {object} Model  What an anywidget gives its front end, and what the static host imitates.
 * @property {(key: string) => any} get
 * @property {(key: string, value: unknown) => void} set
 * @property {(event: string, callback: (...args: any[]) => void) => void} on
 * @property {(event?: string | null, callback?: ((...args: any[]) => void) | null) => void} off
 * @property {() => void} save_changes
 * @property {(content: unknown, callbacks?: unknown, buffers?: ArrayBuffer[]) => void} send
 *
 * @typedef {object} Address  A state in a published page's address.
 * @property {() => Record<string, string>} parameters  This explorable's part of the address, empty without one.
 * @property {(parameters: Record<string, string>) => string} link  Puts the parameters into the address; returns the link.
 * @property {(callback: (parameters: Record<string, string>) => void) => () => void} onChange
 *   Calls back when a reader follows a link to this explorable within the page; returns what ends that.
 *
 * @typedef {Address & {runner: import("../engine/engine.js").Runner}} Page  What only a published page offers: a state in
 *   its address, and graphs that run in the browser.
 *
 * @typedef {object} RenderContext
 * @property {Model} model
 * @property {HTMLElement} el
 * @property {Page | undefined} [page]
 *
 * @typedef {{height: number, width: number, values: Float32Array}} Plane  One channel, row by row.
 * @typedef {[number, number]} Cell  Row and column, counted from 0.
 * @typedef {{id: string, name: string, group: string, kernel: number[][]}} Preset
 */
export {};
