// The simulated Lyceum's history: pages over our ended executions among those of others, in an order of its own.
import type { Answer } from "./call.ts";
import { own } from "./call.ts";
import { iso } from "./work.ts";

export interface HistoryHabits {
  /** No page is longer, whatever is asked for. */
  mostRows: number;
  order: "newest" | "oldest" | "scattered";
  /** Rows of others that are newer than ours, and as many more for each second that passes. */
  newer: number;
  newerPerSecond: number;
  older: number;
  /** Every so many rows of others cannot be read; 0 is none. */
  unreadableEvery: number;
  hasTotal: boolean;
}

export const plainHistory: HistoryHabits = {
  mostRows: 1_000,
  order: "newest",
  newer: 0,
  newerPerSecond: 0,
  older: 0,
  unreadableEvery: 0,
  hasTotal: true,
};

type Row = Record<string, unknown>;

/** @param ours the oldest first */
export function historyPage(habits: HistoryHabits, ours: Row[], query: URLSearchParams, now: number): Answer {
  const newer = habits.newer + Math.floor((habits.newerPerSecond * now) / 1_000);
  const total = habits.older + ours.length + newer;
  const limit = Math.min(Number(query.get("limit") ?? 50), habits.mostRows);
  const offset = Number(query.get("offset") ?? 0);
  const places = Array.from({ length: Math.max(Math.min(limit, total - offset), 0) }, (_, index) => {
    return placeOf(habits.order, offset + index, total);
  });
  const rows = places.map((place) => {
    const index = place - habits.older;
    return ours[index] ?? foreign(habits, place, index < 0 ? iso(-DAY_MS) : iso(now));
  });
  return own(200, { executions: rows, ...(habits.hasTotal ? { total_executions: total } : {}) });
}

const DAY_MS = 24 * 3_600_000;

/** Which of all rows, the oldest being 0, stands at an offset. */
function placeOf(order: HistoryHabits["order"], offset: number, total: number): number {
  if (order === "oldest") return offset;
  if (order === "newest") return total - 1 - offset;
  return (offset * STRIDE) % total;
}

/** A prime that no total reaches, so that each row stands at one offset. */
const STRIDE = 100_003;

function foreign({ unreadableEvery }: HistoryHabits, place: number, createdAt: string): Row | null {
  if (unreadableEvery > 0 && place % unreadableEvery === 0) return place % 2 === 0 ? null : { broken: place };
  return { execution_id: `F${place}`, status: "completed", file_name: "theirs.py", created_at: createdAt };
}
