// A time axis: where round moments lie between two others.

const STEPS_MS = [
  10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 15_000, 30_000, 60_000, 120_000, 300_000, 600_000,
  900_000, 1_800_000, 3_600_000, 7_200_000, 14_400_000, 28_800_000, 86_400_000, 172_800_000, 604_800_000,
];
export function ticksOf(spanMs: number, most: number): number[] {
  const step = STEPS_MS.find((one) => spanMs / one <= most) ?? spanMs;
  // The label of one close to the end would reach beyond it.
  return Array.from({ length: Math.floor((spanMs * 0.95) / step) + 1 }, (_, index) => index * step);
}
