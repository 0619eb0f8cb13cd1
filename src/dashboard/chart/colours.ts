// Colours of a scale from little to much, and of the text upon them.

export interface Rgb {
  r: number;
  g: number;
  b: number;
}

/** @param text as the browser resolves a colour: `rgb(1, 2, 3)` */
export function readRgb(text: string): Rgb {
  const [r = 0, g = 0, b = 0] = [...text.matchAll(/[\d.]+/g)].map(([digits]) => Number(digits));
  return { r, g, b };
}

/** @param share 0 to 1 */
export function between(low: Rgb, high: Rgb, share: number): Rgb {
  const mix = (a: number, b: number) => Math.round(a + (b - a) * Math.min(1, Math.max(0, share)));
  return { r: mix(low.r, high.r), g: mix(low.g, high.g), b: mix(low.b, high.b) };
}

/** Relative luminance as of WCAG 2. */
export function luminance({ r, g, b }: Rgb): number {
  const linear = (value: number) => {
    const part = value / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  };
  return 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
}

/** Black or white, whichever stands out more: on any ground at least 4.5 to 1. */
export function textOn(ground: Rgb): string {
  const light = luminance(ground);
  return (light + 0.05) / 0.05 >= 1.05 / (light + 0.05) ? "#000" : "#fff";
}

export function css({ r, g, b }: Rgb): string {
  return `rgb(${r}, ${g}, ${b})`;
}
