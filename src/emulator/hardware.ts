// An invented list of hardware: profile names seen at Lyceum, prices in credits per hour.

interface Gpu {
  memoryBytes: number;
  powerLimitWatt: number;
  clockSmMhz: number;
  clockMemMhz: number;
}

export const prices: Record<string, number> = {
  cpu: 0.1,
  gpu: 0.35,
  "gpu.l40s": 1.2,
  "gpu.a100": 1.8,
  "gpu.h100": 2.9,
  "gpu.b200": 4.9,
};

export const selectionProfiles = ["gpu.l40s", "gpu.a100", "gpu.h100"];

/** Credits per hour. Unknown profiles are accepted, because no page says that Lyceum refuses them, and cost one credit. */
export function priceOf(profile: string): number {
  return prices[profile] ?? 1;
}

const gib = 1024 ** 3;
const gpus: Record<string, Gpu> = {
  gpu: { memoryBytes: 16 * gib, powerLimitWatt: 70, clockSmMhz: 1590, clockMemMhz: 5001 },
  "gpu.l40s": { memoryBytes: 48 * gib, powerLimitWatt: 350, clockSmMhz: 2520, clockMemMhz: 9001 },
  "gpu.a100": { memoryBytes: 80 * gib, powerLimitWatt: 400, clockSmMhz: 1410, clockMemMhz: 1593 },
  "gpu.h100": { memoryBytes: 80 * gib, powerLimitWatt: 700, clockSmMhz: 1980, clockMemMhz: 2619 },
  "gpu.b200": { memoryBytes: 192 * gib, powerLimitWatt: 1000, clockSmMhz: 1965, clockMemMhz: 3996 },
};

/** Undefined for CPU profiles. */
export function gpuOf(profile: string): Gpu | undefined {
  return gpus[profile] ?? (/gpu|[abh]\d{2,3}/i.test(profile) ? gpus["gpu.a100"] : undefined);
}
