// A log in the page: of any length only the lines in sight exist; searched as one types; lines may wrap.
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { LogEntry } from "../../client/client.ts";
import { count } from "../format.ts";
import { h, html } from "../html.ts";
import { save } from "../job/actions.ts";
import { piecesOf, plain } from "./ansi.ts";

const LINE_PX = 19;
const SPARE = 40;
/** Wrapped lines differ in height, so all of them exist: of a longer log only the last. */
const MAX_WRAPPED = 3_000;

interface ViewerProps {
  entries: LogEntry[];
  name: string;
  /** The view stays at the end. */
  isLive: boolean;
}

interface Line {
  number: number;
  time: string;
  level: string | null;
  text: string;
}

export function LogViewer({ entries, name, isLive }: ViewerProps) {
  const [search, setSearch] = useState("");
  const [wraps, setWraps] = useState(false);
  const [hasTimes, setTimes] = useState(true);
  const lines = useMemo(() => linesOf(entries), [entries]);
  const found = useMemo(() => {
    const wanted = search.toLowerCase();
    return wanted === "" ? lines : lines.filter(({ text }) => plain(text).toLowerCase().includes(wanted));
  }, [lines, search]);
  const download = () =>
    save(
      new Blob([lines.map(({ text }) => `${plain(text)}\n`).join("")], { type: "text/plain" }),
      `${name}.log`,
    );
  return html`<div class="log">
    <div class="filters">
      <input type="search" aria-label="Search the log" placeholder="Search  /" value=${search} onInput=${(event: Event) => setSearch((event.currentTarget as HTMLInputElement).value)} />
      <span class="faint" role="status">${search === "" ? `${count(lines.length)} lines` : `${count(found.length)} of ${count(lines.length)} lines`}</span>
      <label class="choice"><input type="checkbox" checked=${wraps} onChange=${() => setWraps(!wraps)} />wrap</label>
      <label class="choice"><input type="checkbox" checked=${hasTimes} onChange=${() => setTimes(!hasTimes)} />times</label>
      <button type="button" onClick=${download}>Download</button>
    </div>
    ${h(Lines, { lines: wraps ? found.slice(-MAX_WRAPPED) : found, wraps, hasTimes, isLive, search })}
  </div>`;
}

function Lines({
  lines,
  wraps,
  hasTimes,
  isLive,
  search,
}: {
  lines: Line[];
  wraps: boolean;
  hasTimes: boolean;
  isLive: boolean;
  search: string;
}) {
  const box = useRef<HTMLDivElement>(null);
  const isAtEnd = useRef(true);
  const [top, setTop] = useState(0);
  const onScroll = () => {
    const element = box.current;
    if (element === null) return;
    isAtEnd.current = element.scrollHeight - element.scrollTop - element.clientHeight < 2 * LINE_PX;
    setTop(Math.floor(element.scrollTop / LINE_PX / SPARE) * SPARE);
  };
  useEffect(() => {
    const element = box.current;
    if (element !== null && isLive && isAtEnd.current) element.scrollTop = element.scrollHeight;
  }, [lines, isLive]);
  const height = Math.ceil((box.current?.clientHeight ?? 600) / LINE_PX);
  const first = wraps ? 0 : Math.max(0, top - SPARE);
  const last = wraps ? lines.length : Math.min(lines.length, top + height + 2 * SPARE);
  return html`<div class=${`lines ${wraps ? "wraps" : ""}`} ref=${box} onScroll=${onScroll} tabindex="0" role="log" aria-label="Log lines" aria-live="off">
    <div style=${wraps ? {} : { height: `${lines.length * LINE_PX}px`, paddingTop: `${first * LINE_PX}px` }}>
      ${lines
        .slice(first, last)
        .map(
          ({ number, time, level, text }) =>
            html`<div class=${`line ${level ?? ""}`} key=${number}><span class="number">${number}</span>${hasTimes && html`<span class="time">${time}</span>`}<span class="text">${piecesOf(text).map((piece) => marked(piece.text, piece.style, search))}</span></div>`,
        )}
    </div>
  </div>`;
}

function marked(text: string, style: string, search: string) {
  const at = search === "" ? -1 : text.toLowerCase().indexOf(search.toLowerCase());
  const inner =
    at === -1
      ? text
      : html`${text.slice(0, at)}<mark>${text.slice(at, at + search.length)}</mark>${text.slice(at + search.length)}`;
  return style === "" ? inner : html`<span class=${style}>${inner}</span>`;
}

/** A message may hold several lines. */
function linesOf(entries: LogEntry[]): Line[] {
  const lines: Line[] = [];
  for (const { timestamp, message, level } of entries)
    for (const text of message.replace(/\n$/, "").split("\n"))
      lines.push({ number: lines.length + 1, time: (timestamp ?? "").slice(11, 23), level, text });
  return lines;
}
