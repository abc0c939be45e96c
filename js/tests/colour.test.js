import assert from "node:assert/strict";
import { test } from "node:test";
import { contrast, linear, scale, signed } from "../src/shared/colour.js";
import { PALETTES } from "../src/shared/palettes.js";

test("contrast is WCAG's", () => {
  assert.equal(contrast("#000000", "#ffffff"), 21);
  assert.ok(Math.abs(contrast("#777777", "#ffffff") - 4.48) < 0.01);
});

for (const [name, { diverging, even }] of Object.entries(PALETTES)) {
  test(`${name}: numbers can be read on every colour`, () => {
    for (const stops of [diverging, even]) {
      const colours = scale(stops);
      for (let i = 0; i <= 1000; i++) {
        const { fill, ink } = colours(i / 1000);
        assert.ok(contrast(fill, ink) >= 4.5, `${ink} on ${fill}`);
      }
    }
  });

  test(`${name}: the diverging scale has zero in the middle and grows towards both ends`, () => {
    const colours = scale(diverging);
    const zero = signed(colours, 2)(0).fill;
    assert.equal(zero, diverging[(diverging.length - 1) / 2]);
    for (const sign of [-1, 1]) {
      const steps = [0.25, 0.5, 0.75, 1].map((t) => contrast(zero, signed(colours, 2)(2 * sign * t).fill));
      assert.deepEqual(steps, [...steps].sort((a, b) => a - b));
      assert.ok(/** @type {number} */ (steps.at(-1)) > 7);
    }
    assert.equal(signed(colours, 0)(0).fill, zero);
  });

  test(`${name}: the even scale rises in lightness by even steps`, () => {
    const colours = scale(even);
    const light = Array.from({ length: 33 }, (_, i) => Math.cbrt(contrast(colours(i / 32).fill, "#000000") * 0.05 - 0.05));
    const steps = light.slice(1).map((value, i) => value - /** @type {number} */ (light[i]));
    const mean = steps.reduce((a, b) => a + b) / steps.length;
    for (const step of steps) assert.ok(step > 0 && step < 2.2 * mean, `a step of ${step}, ${mean} on average`);
  });
}

test("ends are kept beyond the scale, and a colour that is none is refused", () => {
  const colours = scale(["#000000", "#ffffff"]);
  assert.equal(colours(-3).fill, "#000000");
  assert.equal(colours(7).fill, "#ffffff");
  assert.equal(colours(NaN).fill, "#000000");
  assert.throws(() => linear("red"), /allowed is #rrggbb/);
  assert.throws(() => scale(["#000000"]), /two or more/);
});
