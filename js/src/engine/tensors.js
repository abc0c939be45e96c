/**
 * Tensors as they cross between a front end, a kernel and a worker: a type, sizes, and numbers row by row.
 *
 * @typedef {"float32" | "int32" | "bool"} TensorType
 * @typedef {Float32Array | Int32Array | Uint8Array} TensorData
 * @typedef {{type: TensorType, dims: number[], data: TensorData}} Tensor
 * @typedef {Record<string, Tensor>} Tensors
 * @typedef {{type: TensorType, dims: number[], data: string}} WrittenTensor  The same in a page's state, in base 64.
 */

/** @type {Record<TensorType, (bytes: ArrayBuffer) => TensorData>} */
const ARRAYS = {
  float32: (bytes) => new Float32Array(bytes),
  int32: (bytes) => new Int32Array(bytes),
  bool: (bytes) => new Uint8Array(bytes),
};

/** @param {ArrayLike<number> | number} values  @param {number[]} [dims]  By default one axis, or none for a single number. @returns {Tensor} */
export function float32(values, dims) {
  if (typeof values === "number") return { type: "float32", dims: dims ?? [], data: Float32Array.of(values) };
  const data = values instanceof Float32Array ? values : Float32Array.from(values);
  return { type: "float32", dims: dims ?? [data.length], data };
}

/** @param {ArrayLike<number> | number} values  @param {number[]} [dims] @returns {Tensor} */
export function int32(values, dims) {
  if (typeof values === "number") return { type: "int32", dims: dims ?? [], data: Int32Array.of(values) };
  const data = values instanceof Int32Array ? values : Int32Array.from(values);
  return { type: "int32", dims: dims ?? [data.length], data };
}

/** @param {boolean} value @returns {Tensor} */
export const flag = (value) => ({ type: "bool", dims: [], data: Uint8Array.of(Number(value)) });

/**
 * @param {TensorType} type
 * @param {number[]} dims
 * @param {ArrayBuffer | ArrayBufferView} content
 * @returns {Tensor}
 */
export function fromBytes(type, dims, content) {
  const bytes = ArrayBuffer.isView(content)
    ? new Uint8Array(content.buffer, content.byteOffset, content.byteLength)
    : new Uint8Array(content);
  // A copy: what arrives from a kernel may start anywhere, and typed arrays start at multiples of their width.
  return { type, dims, data: ARRAYS[type](bytes.slice().buffer) };
}

/** @param {WrittenTensor} written @returns {Tensor} */
export function read({ type, dims, data }) {
  return fromBytes(type, dims, Uint8Array.from(atob(data), (character) => character.charCodeAt(0)));
}

/** @param {Record<string, WrittenTensor>} written @returns {Tensors} */
export const readAll = (written) =>
  Object.fromEntries(Object.entries(written).map(([name, tensor]) => [name, read(tensor)]));

/** @param {Tensor} one  @param {Tensor | undefined} other */
function same(one, other) {
  return (
    other !== undefined &&
    one.type === other.type &&
    one.dims.join() === other.dims.join() &&
    one.data.length === other.data.length &&
    one.data.every((value, index) => Object.is(value, other.data[index]))
  );
}

/** Whether two questions are the same. @param {Tensors} one  @param {Tensors} other */
export function sameTensors(one, other) {
  const names = Object.keys(one);
  return names.length === Object.keys(other).length && names.every((name) => same(/** @type {Tensor} */ (one[name]), other[name]));
}

/**
 * A part of a tensor: the numbers at the first `indices`, as a view.
 * @param {Tensor} tensor
 * @param {...number} indices
 */
export function at({ dims, data }, ...indices) {
  let start = 0;
  let size = data.length;
  indices.forEach((index, axis) => {
    size /= /** @type {number} */ (dims[axis]);
    start += index * size;
  });
  return data.subarray(start, start + size);
}
