// Parses Server-Sent Events [html.spec.whatwg.org/multipage/server-sent-events.html] from chunks of any size.

export interface Message {
  id: string;
  type: string;
  data: string;
}

export interface SseReader {
  push(text: string): Message[];
  /** Position for resuming the stream. Blocks with an id but no data also move it. */
  readonly lastId: string;
  /** Pause before reconnecting, as requested by the service. */
  readonly retryMs: number | null;
}

export function createSseReader(): SseReader {
  let open = "";
  let carriageReturn = "";
  let isFirst = true;
  let lastId = "";
  let retryMs: number | null = null;
  let block = { id: "", type: "", data: [] as string[] };

  function readLine(line: string): Message | null {
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
      const chunk = carriageReturn + (isFirst ? text.replace(/^\uFEFF/, "") : text);
      isFirst &&= text === "";
      // A final carriage return may belong to a line feed in the next chunk.
      carriageReturn = chunk.endsWith("\r") ? "\r" : "";
      const [first = "", ...more] = chunk.slice(0, chunk.length - carriageReturn.length).split(/\r\n|\n|\r/);
      // Search only the new chunk: a long line may come in many chunks.
      const lines = [open + first, ...more];
      open = lines.pop() ?? "";
      return lines.map(readLine).filter((message) => message !== null);
    },
    get lastId() {
      return lastId;
    },
    get retryMs() {
      return retryMs;
    },
  };
}
