// Reads Server-Sent Events [html.spec.whatwg.org/multipage/server-sent-events.html], in whatever pieces they come.

export interface Message {
  id: string;
  type: string;
  data: string;
}

export interface SseReader {
  /** The messages that this piece completes. */
  push(text: string): Message[];
  /** Moved by comments-only blocks with an id, too: where a stream that breaks off is taken up again. */
  readonly lastId: string;
  /** The pause before coming back, as the service asks for it. */
  readonly retryMs: number | null;
}

export function createSseReader(): SseReader {
  /** The line under way, without what may be half of its end. */
  let open = "";
  let half = "";
  let isFirst = true;
  let lastId = "";
  let retryMs: number | null = null;
  let block = { id: "", type: "", data: [] as string[] };

  function take(line: string): Message | null {
    if (line === "") {
      const { type, data } = block;
      lastId = block.id;
      block = { id: lastId, type: "", data: [] };
      return data.length === 0 ? null : { id: lastId, type: type || "message", data: data.join("\n") };
    }
    const [, name = "", value = ""] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
    if (name === "data") block.data.push(value);
    else if (name === "event") block.type = value;
    else if (name === "id" && !value.includes("\0")) block.id = value;
    else if (name === "retry" && /^\d{1,9}$/.test(value)) retryMs = Number(value);
    return null;
  }

  return {
    push(text) {
      const piece = half + (isFirst ? text.replace(/^\uFEFF/, "") : text);
      isFirst &&= text === "";
      // A carriage return at the end may be half of a line's end: it waits for the rest.
      half = piece.endsWith("\r") ? "\r" : "";
      const [first = "", ...more] = piece.slice(0, piece.length - half.length).split(/\r\n|\n|\r/);
      // Only what is new is searched: a long line may come in many pieces.
      const lines = [open + first, ...more];
      open = lines.pop() ?? "";
      return lines.map(take).filter((message) => message !== null);
    },
    get lastId() {
      return lastId;
    },
    get retryMs() {
      return retryMs;
    },
  };
}
