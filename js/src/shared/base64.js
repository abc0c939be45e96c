/** Float32 arrays as text: what Python's `dlcompare.widgets` writes, little-endian. */

/**
 * @param {string} text
 * @returns {Float32Array}
 */
export function decodeFloats(text) {
  const binary = atob(text);
  if (binary.length % 4) throw new Error(`data has ${binary.length} bytes; allowed is a multiple of 4 (float32)`);
  const view = new DataView(new ArrayBuffer(binary.length));
  for (let i = 0; i < binary.length; i++) view.setUint8(i, binary.charCodeAt(i));
  return Float32Array.from({ length: binary.length / 4 }, (_, i) => view.getFloat32(4 * i, true));
}
