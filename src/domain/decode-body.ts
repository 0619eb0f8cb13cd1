// Decodes foreign bytes to text: removes compression and UTF-16, within bounds.
import { isUtf8 } from "node:buffer";
import { brotliDecompressSync, constants, gunzipSync, inflateRawSync, inflateSync } from "node:zlib";

export const MAX_LAYERS = 4;

export interface Budget {
  left: number;
}

export function newBudget(): Budget {
  return { left: MAX_DECODED };
}

const MAX_DECODED = 1024 * 1024;

export type Decoded =
  | { type: "text"; text: string; layers: string[] }
  | { type: "bytes"; bytes: Buffer; layers: string[] }
  /** The compressed body holds more than the budget allows to inspect. */
  | { type: "excess" };

/** @param encoding the `Content-Encoding`, which is tried before the first bytes decide */
export function decodeBody(body: Buffer, encoding: string | null, budget: Budget): Decoded {
  const layers: string[] = [];
  let bytes = body;
  for (const name of (encoding ?? "").toLowerCase().split(",", MAX_LAYERS).reverse()) {
    const inflated = inflate(NAMED[name.trim()] ?? [], bytes, budget);
    if (inflated === "excess") return { type: "excess" };
    if (inflated === null) continue;
    layers.push(inflated.name);
    bytes = inflated.bytes;
  }
  const decoded = decodeBytes(bytes, budget, layers);
  if (decoded.type !== "bytes") return decoded;
  // Brotli and bare deflate have no signature: the result must be text.
  const bare = inflate(["br", "deflate-raw"], decoded.bytes, budget);
  if (bare === null || bare === "excess" || !isReadable(bare.bytes)) return decoded;
  return { type: "text", text: bare.bytes.toString("utf8"), layers: [...decoded.layers, bare.name] };
}

export function decodeBytes(given: Buffer, budget: Budget, outer: string[] = []): Decoded {
  const layers = [...outer];
  let bytes = given;
  while (layers.length <= MAX_LAYERS) {
    const inflated = inflate(compressionOf(bytes), bytes, budget);
    if (inflated === "excess") return { type: "excess" };
    if (inflated === null) {
      const wide = readUtf16(bytes);
      if (wide !== null) return { type: "text", text: wide.text, layers: [...layers, wide.name] };
      if (isUtf8(bytes)) return { type: "text", text: bytes.toString("utf8"), layers };
      return { type: "bytes", bytes, layers };
    }
    layers.push(inflated.name);
    bytes = inflated.bytes;
  }
  return { type: "excess" };
}

/** True for UTF-8 without control characters but white space. */
export function isReadable(bytes: Buffer): boolean {
  return isUtf8(bytes) && !CONTROL.test(bytes.toString("utf8"));
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
const CONTROL = /[\u0000-\u0008\u000e-\u001f\u007f]/;

type Compression = "gzip" | "deflate" | "deflate-raw" | "br";

const NAMED: Record<string, Compression[] | undefined> = {
  gzip: ["gzip"],
  "x-gzip": ["gzip"],
  // The standard means zlib's form [RFC 9110, 8.4.1.2]; bare deflate is sent as well.
  deflate: ["deflate", "deflate-raw"],
  br: ["br"],
};

function compressionOf(bytes: Buffer): Compression[] {
  const [first = 0, second = 0] = bytes;
  if (first === 0x1f && second === 0x8b) return ["gzip"];
  if (first === 0x78 && (first * 256 + second) % 31 === 0) return ["deflate"];
  return [];
}

/** A body that was cut off is decoded as far as it goes. */
const zlib = { finishFlush: constants.Z_SYNC_FLUSH };
const brotli = { finishFlush: constants.BROTLI_OPERATION_FLUSH };
const inflaters: Record<Compression, (bytes: Buffer, maxOutputLength: number) => Buffer> = {
  gzip: (bytes, maxOutputLength) => gunzipSync(bytes, { ...zlib, maxOutputLength }),
  deflate: (bytes, maxOutputLength) => inflateSync(bytes, { ...zlib, maxOutputLength }),
  "deflate-raw": (bytes, maxOutputLength) => inflateRawSync(bytes, { ...zlib, maxOutputLength }),
  br: (bytes, maxOutputLength) => brotliDecompressSync(bytes, { ...brotli, maxOutputLength }),
};

function inflate(
  candidates: Compression[],
  bytes: Buffer,
  budget: Budget,
): { name: Compression; bytes: Buffer } | "excess" | null {
  for (const name of candidates) {
    if (budget.left <= 0) return "excess";
    try {
      const inflated = inflaters[name](bytes, budget.left);
      budget.left -= inflated.length;
      if (inflated.length > 0) return { name, bytes: inflated };
    } catch (error) {
      const isTooLarge = (error as { code?: string }).code === "ERR_BUFFER_TOO_LARGE";
      // A broken stream does not tell how much it inflated to: charge the stream's own length.
      budget.left -= isTooLarge ? budget.left : Math.min(budget.left, bytes.length);
      if (isTooLarge) return "excess";
    }
  }
  return null;
}

/** Detects UTF-16 by byte order mark or zero bytes; some characters must be ASCII, as in every data format. */
function readUtf16(bytes: Buffer): { name: string; text: string } | null {
  const even = bytes.subarray(0, bytes.length & ~1);
  const [first, second] = even;
  const isMarked = (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);
  const looked = even.subarray(0, MAX_LOOKED_AT);
  if (looked.length < 4) return null;
  let [low, high] = [0, 0];
  for (let at = 0; at < looked.length; at += 2) {
    if (looked[at + 1] === 0 && isAscii(looked[at])) low += 1;
    if (looked[at] === 0 && isAscii(looked[at + 1])) high += 1;
  }
  const share = Math.max(low, high) / (looked.length / 2);
  if (share < (isMarked ? 0.1 : 0.5)) return null;
  const text = low >= high ? even.toString("utf16le") : Buffer.from(even).swap16().toString("utf16le");
  return { name: low >= high ? "utf-16le" : "utf-16be", text: text.replace(/^\uFEFF/, "").toWellFormed() };
}

function isAscii(byte = 0): boolean {
  return (byte >= 0x20 && byte < 0x7f) || byte === 0x09 || byte === 0x0a || byte === 0x0d;
}

const MAX_LOOKED_AT = 2048;
