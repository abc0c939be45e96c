import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeFloats } from "../src/shared/base64.js";
import { editable, fill, full, short, translator } from "../src/shared/format.js";

test("three significant digits, fewer only where they are exact", () => {
  const expected = {
    0: "0", 1: "1", 0.5: "0.5", 0.25: "0.25", 12: "12", 100: "100", 1234: "1230", 0.9960784316062927: "0.996",
    0.9999: "1.00", 9.999: "10.0", 99.96: "100", 0.1: "0.1", 0.10000000149011612: "0.100", 0.0123456: "0.0123",
    12.3456: "12.3", 999499: "999000", 0.000999: "9.99·10⁻⁴", 1234567: "1.23·10⁶", 1e-12: "1.00·10⁻¹²",
  }; // prettier-ignore
  for (const [value, text] of Object.entries(expected)) assert.equal(short(Number(value)), text);
});

test("a minus sign is a minus sign, and zero has none", () => {
  assert.equal(short(-0.5), "−0.5");
  assert.equal(short(-0), "0");
  assert.equal(short(-1e-9), "−1.00·10⁻⁹");
  assert.equal(full(-0), "0");
  assert.equal(full(-1.25e-7), "−1.25e−7");
});

test("infinity has its sign", () => {
  assert.equal(short(-Infinity), "−∞");
  assert.equal(short(Infinity), "∞");
  assert.equal(full(-Infinity), "−∞");
});

test("no number is written wrongly by more than half a unit of its third digit", () => {
  for (let i = 0; i < 5000; i++) {
    const value = (Math.random() - 0.5) * 10 ** (Math.random() * 14 - 6);
    const text = short(value).replace("−", "-").replace(/·10(.*)/, (_, power) => {
      const digits = [...power].map((c) => ("⁰¹²³⁴⁵⁶⁷⁸⁹".includes(c) ? "⁰¹²³⁴⁵⁶⁷⁸⁹".indexOf(c) : "-"));
      return `e${digits.join("")}`;
    });
    assert.ok(Math.abs(Number(text) - value) <= 0.0051 * Math.abs(value), `${value} became ${text}`);
  }
});

test("what stands in a number field is a number", () => {
  for (const value of [0, -1, 0.111111, -0.23, 8, 100, 1e-9, -1 / 256]) {
    const text = editable(value);
    assert.ok(text.trim() !== "" && Number.isFinite(Number(text)), text);
    assert.ok(Math.abs(Number(text) - value) <= 0.0051 * Math.abs(value));
  }
  assert.equal(editable(-0.23), "-0.23");
  assert.equal(editable(-0.230001), "-0.230");
});

test("templates are filled, and a gap shows", () => {
  assert.equal(fill("{a} and {b}", { a: 1 }), "1 and {b}");
  assert.equal(fill("{a}", { a: "$& {a}" }), "$& {a}");
  const text = translator({ greeting: "Hello {name}" });
  assert.equal(text("greeting", { name: "<b>" }), "Hello <b>");
  assert.equal(text("missing"), "missing");
});

test("float32 arrays come through base64 bit by bit", () => {
  const values = Float32Array.of(0, -0, 1 / 3, 3.4e38, 1.4e-45, -1);
  assert.deepEqual(decodeFloats(Buffer.from(values.buffer).toString("base64")), values);
  assert.throws(() => decodeFloats("AAA="), /data has 2 bytes/);
});
