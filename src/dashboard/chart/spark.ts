// A small chart in a row: how many went well and badly in each stretch of time.
import { html } from "../html.ts";
import { BUCKETS, type Bucket } from "./buckets.ts";

const BAR_PX = 5;
const HEIGHT_PX = 18;

/** Bad ones stand on top and are hatched, so that no colour alone tells them apart. */
export function Spark({ buckets, label }: { buckets: Bucket[]; label: string }) {
  const most = Math.max(1, ...buckets.map(({ good, bad }) => good + bad));
  const bar = (tone: string, index: number, from: number, many: number) => {
    const height = many === 0 ? 0 : Math.max(1.5, (many / most) * HEIGHT_PX);
    const y = HEIGHT_PX - (from / most) * HEIGHT_PX - height;
    return html`<rect class=${tone} x=${index * BAR_PX} y=${Math.max(0, y)} width=${BAR_PX - 1} height=${height} />`;
  };
  return html`<svg class="spark" width=${BUCKETS * BAR_PX} height=${HEIGHT_PX} role="img" aria-label=${label}>
    <title>${label}</title>
    ${buckets.map(({ good, bad }, index) => [bar("good", index, 0, good), bar("bad", index, good, bad)])}
  </svg>`;
}
