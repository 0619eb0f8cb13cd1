// Long lists of rows of one height: only the rows in sight exist, with some to spare.
import { useEffect, useState } from "preact/hooks";

/** Up to here all rows exist. */
export const MANY = 300;
const SPARE_ROWS = 12;

/** @param box the element that scrolls; @returns the first row that exists, and the one behind the last */
export function useSight(
  box: { current: HTMLElement | null },
  count: number,
  rowPx: number,
): { first: number; last: number } {
  const [top, setTop] = useState(0);
  useEffect(() => {
    const element = box.current;
    if (element === null || count <= MANY) return;
    // In steps, so that not every pixel of scrolling renders.
    const look = () => setTop(Math.floor(element.scrollTop / (rowPx * SPARE_ROWS)) * SPARE_ROWS);
    element.addEventListener("scroll", look, { passive: true });
    return () => element.removeEventListener("scroll", look);
  }, [count > MANY]);
  if (count <= MANY) return { first: 0, last: count };
  const height = box.current?.clientHeight ?? 800;
  const first = Math.max(0, Math.min(top - SPARE_ROWS, count - 1));
  return { first, last: Math.min(count, top + Math.ceil(height / rowPx) + 2 * SPARE_ROWS) };
}
