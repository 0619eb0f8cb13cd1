// Numbers, times and money as people read them. Whatever is not known is a dash.

export const DASH = "–";

const locale = "en-GB";
const whole = new Intl.NumberFormat(locale);

export function count(value: number | null | undefined): string {
  return value == null ? DASH : whole.format(value);
}

/** Credits: two places from one credit on, more below it. */
export function credits(value: number | null | undefined): string {
  if (value == null) return DASH;
  if (value === 0) return "0";
  if (value < 0.0001) return "< 0.0001";
  return value >= 1 ? value.toFixed(2) : value.toPrecision(2).slice(0, 6);
}

export function percent(share: number | null | undefined): string {
  return share == null ? DASH : `${Math.round(share * 100)} %`;
}

export function bytes(value: number | null | undefined): string {
  if (value == null) return DASH;
  const units = ["B", "kB", "MB", "GB", "TB"];
  const step = value < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(value) / 3));
  const number = value / 1_000 ** step;
  return `${number < 10 && step > 0 ? number.toFixed(1) : Math.round(number)} ${units[step]}`;
}

/** Two units at most: `1 h 12 min`, `48.2 s`, `140 ms`. */
export function duration(ms: number | null | undefined): string {
  if (ms == null || !Number.isFinite(ms)) return DASH;
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(ms < 10_000 ? 1 : 0)} s`;
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 60) return joined(minutes, "min", Math.floor((ms % 60_000) / 1_000), "s");
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return joined(hours, "h", minutes % 60, "min");
  return joined(Math.floor(hours / 24), "d", hours % 24, "h");
}

function joined(a: number, unitA: string, b: number, unitB: string): string {
  return b === 0 ? `${a} ${unitA}` : `${a} ${unitA} ${b} ${unitB}`;
}

export function rough(ms: number): string {
  const units: [number, string][] = [
    [86_400_000, "d"],
    [3_600_000, "h"],
    [60_000, "min"],
    [1_000, "s"],
  ];
  const [size, unit] = units.find(([one]) => ms >= one) ?? [1_000, "s"];
  return `${Math.floor(ms / size)} ${unit}`;
}

const clockFormat = new Intl.DateTimeFormat(locale, {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
});
const dayFormat = new Intl.DateTimeFormat(locale, { day: "numeric", month: "short" });
const fullFormat = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "medium" });

/** The time of day; with the day when it is another one. */
export function clock(at: number | string, today: number): string {
  const date = new Date(at);
  const time = clockFormat.format(date);
  return date.toDateString() === new Date(today).toDateString() ? time : `${dayFormat.format(date)} ${time}`;
}

export function full(at: number | string): string {
  return fullFormat.format(new Date(at));
}

/** `one run`, `3 runs`. */
export function plural(number: number, word: string): string {
  return `${count(number)} ${word}${number === 1 ? "" : "s"}`;
}
