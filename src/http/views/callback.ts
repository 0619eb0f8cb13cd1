// Shows a callback decoded, with the run's secrets and the execution's tokens hidden.
import type { CallbackView } from "../../contract/execution.ts";
import { decodeBody, newBudget } from "../../domain/decode-body.ts";
import { createHider } from "../../lib/redact.ts";
import type { CallbackRow } from "../../store/callbacks.ts";
import { createMask, type Secrets } from "./mask.ts";
import { iso } from "./view.ts";

/** @param isTrusted lets the caller see bodies that cannot be searched for secrets */
export function callbackViewer(
  secrets: Secrets,
  isTrusted: boolean,
): (callback: CallbackRow) => CallbackView {
  const mask = createMask(secrets);
  const tokens = createHider(new Map(secrets.tokens.flatMap(labelsOf)));

  function viewBody(callback: CallbackRow): BodyView {
    const bytes = callback.truncated === 1 ? withoutBrokenEnd(callback.body) : callback.body;
    const decoded = decodeBody(bytes, callback.content_encoding, newBudget());
    if (decoded.type === "excess") return hidden("its decompressed body is too large");
    const decoded_from = decoded.layers.join(", ") || null;
    if (decoded.type === "text") {
      const { text, isCertain } = mask(decoded.text);
      if (!isCertain && !isTrusted) return hidden("parts of the body cannot be decoded and may hold secrets");
      return { body: text, body_encoding: "utf8", decoded_from, note: null };
    }
    if (!isTrusted) return hidden("the body is not text and may hold secrets");
    const shown = Buffer.from(tokens.hide(decoded.bytes.toString("latin1")), "latin1");
    return { body: shown.toString("base64"), body_encoding: "base64", decoded_from, note: null };
  }

  return (callback) => ({
    id: callback.id,
    execution_id: callback.execution_id,
    received_at: iso(callback.received_at),
    disposition: callback.disposition,
    content_type: callback.content_type,
    content_encoding: callback.content_encoding,
    ...viewBody(callback),
    truncated: callback.truncated === 1,
  });
}

type BodyView = Pick<CallbackView, "body" | "body_encoding" | "decoded_from" | "note">;

function hidden(reason: string): BodyView {
  return { body: null, body_encoding: null, decoded_from: null, note: `not shown: ${reason}` };
}

/** A binary body may hold a token in UTF-16. The last zero byte is left out, so both byte orders match. */
function labelsOf(token: string): [string, string][] {
  return [token, [...token].join("\0")].map((spelling) => [spelling, "[token]"]);
}

/** Removes a UTF-8 character that was cut in half. */
function withoutBrokenEnd(bytes: Buffer): Buffer {
  let end = bytes.length;
  while (end > Math.max(0, bytes.length - 3) && ((bytes[end - 1] ?? 0) & 0xc0) === 0x80) end -= 1;
  return (bytes[end - 1] ?? 0) >= 0xc0 ? bytes.subarray(0, end - 1) : bytes;
}
