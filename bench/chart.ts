// A bar chart of the figures with a goal: each bar shows the distance to the goal's line.
import { type Figure, type Goal, isReached } from "./measure.ts";
import { goalText, short } from "./table.ts";

export function chart(figures: Figure[]): string {
  const judged = figures.filter((figure): figure is Judged => figure.goal !== null);
  const bars = judged.map((figure, index) => bar(figure, index, labelOf(figure, judged)));
  const height = TOP + bars.length * ROW + 10;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="12">`,
    "<title>How far each figure is from its goal</title>",
    `<rect width="${WIDTH}" height="${height}" fill="white"/>`,
    `<text x="${GOAL_AT}" y="16" text-anchor="middle" fill="#333">goal</text>`,
    ...bars,
    `<line x1="${GOAL_AT}" x2="${GOAL_AT}" y1="${TOP - 6}" y2="${height - 6}" stroke="#333" stroke-dasharray="3 3"/>`,
    "</svg>\n",
  ].join("\n");
}

type Judged = Figure & { goal: Goal };

const WIDTH = 900;
const ROW = 24;
const TOP = 28;
const LABELS = 380;
const GOAL_AT = 560;
/** Avoids a division by zero: 0 with a goal of 0 is at the goal. */
const EPSILON = 0.001;

/** Figures of the same name differ in their counterpart. */
function labelOf({ name, against }: Judged, all: Judged[]): string {
  return all.filter((figure) => figure.name === name).length > 1 ? `${name} (${against})` : name;
}

function bar(figure: Judged, index: number, label: string): string {
  const y = TOP + index * ROW;
  const width = Math.min(WIDTH - LABELS - 150, (GOAL_AT - LABELS) * score(figure));
  const colour = isReached(figure) ? "#2a7f62" : "#c8553d";
  const text = `${short(figure.ratio.median)} (goal ${goalText(figure.goal)})`;
  return [
    `<text x="${LABELS - 8}" y="${y + 13}" text-anchor="end" fill="#333">${escaped(label)}</text>`,
    `<rect x="${LABELS}" y="${y}" width="${width.toFixed(1)}" height="17" fill="${colour}"/>`,
    `<text x="${LABELS + width + 6}" y="${y + 13}" fill="#333">${escaped(text)}</text>`,
  ].join("\n");
}

/** 1 at the goal, more beyond it. */
function score({ ratio, goal }: Judged): number {
  if (goal.atLeast !== undefined) return ratio.median / goal.atLeast;
  return ((goal.atMost ?? 0) + EPSILON) / (ratio.median + EPSILON);
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
