// Tables: rows of one height, of which only those in sight exist when there are many. j and k walk the rows.
import type { ComponentChildren } from "preact";
import { useRef, useState } from "preact/hooks";
import { html } from "../html.ts";
import { MANY, useSight } from "./sight.ts";

export interface Column<T> {
  title: string;
  numeric?: boolean;
  minor?: boolean;
  /** The sort key; a column without one does not sort. */
  by?: (row: T) => number | string | null;
  show: (row: T) => ComponentChildren;
}

interface TableProps<T> {
  label: string;
  columns: Column<T>[];
  rows: T[];
  keyOf: (row: T) => string;
  /** The link of a row, placed in its first cell. */
  hrefOf?: (row: T) => string;
  isSelected?: (row: T) => boolean;
}

const ROW_PX = 34;

export function Table<T>({ label, columns, rows, keyOf, hrefOf, isSelected }: TableProps<T>) {
  const [sort, setSort] = useState<{ column: number; down: boolean } | null>(null);
  const box = useRef<HTMLDivElement>(null);
  const { first, last } = useSight(box, rows.length, ROW_PX);
  const by = sort === null ? undefined : columns[sort.column]?.by;
  const ordered = by === undefined ? rows : rows.toSorted(order(by, sort?.down ?? false));
  const inSight = ordered.slice(first, last);

  const head = (column: Column<T>, index: number) => {
    const isSorted = sort?.column === index;
    const state = isSorted ? (sort.down ? "descending" : "ascending") : undefined;
    const toggle = () => setSort({ column: index, down: isSorted ? !sort.down : column.numeric === true });
    return html`<th scope="col" class=${classOf(column)} aria-sort=${state}>
      ${column.by === undefined ? column.title : html`<button type="button" onClick=${toggle}>${column.title}<span aria-hidden="true">${isSorted ? (sort.down ? " ↓" : " ↑") : ""}</span></button>`}
    </th>`;
  };
  const cell = (column: Column<T>, index: number, row: T) => {
    const content = column.show(row);
    const inner = index === 0 && hrefOf ? html`<a href=${hrefOf(row)} data-row>${content}</a>` : content;
    return html`<td class=${classOf(column)}>${inner}</td>`;
  };
  return html`<div class=${`tablebox ${rows.length > MANY ? "many" : ""}`} ref=${box} tabindex=${rows.length > MANY ? 0 : undefined}>
    <table aria-label=${label} aria-rowcount=${rows.length > MANY ? rows.length + 1 : undefined}>
      <thead><tr>${columns.map(head)}</tr></thead>
      <tbody>
        ${gap(first)}
        ${inSight.map((row) => html`<tr key=${keyOf(row)} class=${isSelected?.(row) ? "selected" : ""}>${columns.map((column, index) => cell(column, index, row))}</tr>`)}
        ${gap(rows.length - last)}
      </tbody>
    </table>
  </div>`;
}

function classOf({ numeric, minor }: Column<never>): string {
  return `${numeric ? "num" : ""} ${minor ? "minor" : ""}`.trim();
}

/** For rows out of sight. */
function gap(rows: number) {
  return rows <= 0
    ? null
    : html`<tr class="gap" aria-hidden="true"><td style=${{ height: `${rows * ROW_PX}px` }}></td></tr>`;
}

/** Unknown values come last in both directions. */
function order<T>(by: (row: T) => number | string | null, down: boolean) {
  return (a: T, b: T): number => {
    const [left, right] = [by(a), by(b)];
    if (left === right) return 0;
    if (left === null) return 1;
    if (right === null) return -1;
    return (left < right ? -1 : 1) * (down ? -1 : 1);
  };
}
