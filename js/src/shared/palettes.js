/**
 * The colours of values, per theme: signed values on one scale with zero in the middle, magnitudes on one even scale.
 *
 * The light theme's are those of the book's figures (`dlcompare.style`: a test compares them). On a dark page zero must be
 * dark, or the empty parts would shine: the same hues, with the lightness turned round.
 */
const CIVIDIS = ["#00224e", "#1a386f", "#434e6c", "#61656f", "#7d7c78", "#9b9476", "#bcae6c", "#dec958", "#fee838"];

export const PALETTES = {
  light: {
    // prettier-ignore
    diverging: ["#2d004b", "#532687", "#8073ac", "#b1aad1", "#d8daeb", "#f7f7f6",
                "#fee0b6", "#fcb761", "#e08214", "#b25706", "#7f3b08"],
    even: CIVIDIS,
  },
  dark: {
    // prettier-ignore
    diverging: ["#d9ccff", "#b7a5f2", "#9480d6", "#6d5bab", "#463c70", "#23252b",
                "#63411c", "#985f1b", "#c97f22", "#f2a443", "#ffd193"],
    even: CIVIDIS,
  },
};
