// Text out of bytes that somebody else wrote: compression and UTF-16 are taken off, within bounds.
import { isUtf8 } from "node:buffer";
import { brotliDecompressSync, constants, gunzipSync, inflateRawSync, inflateSync } from "node:zlib";

export const MAX_LAYERS = 4;
/** Characters or bytes that are made of one body in all. */
export const MAX_DECODED = 1024 * 1024;

export type Decoded =
  /** @param layers what was taken off, outermost first: `gzip`, `utf-16le`… */
  | { type: "text"; text: string; layers: string[] }
  /** Neither text nor anything known. */
  | { type: "bytes"; bytes: Buffer; layers: string[] }
  /** It is compressed, and more is in it than is looked at. */
  | { type: "excess" };

/** @param encoding the header `Content-Encoding`; what it names is tried first, and the bytes themselves tell the rest. */
export function decodeBytes(given: Buffer, encoding: string | null = null): Decoded {
  const named = (encoding ?? "").toLowerCase().split(",", MAX_LAYERS).reverse();
  const layers: string[] = [];
  let bytes = given;
  for (const name of named) {
    const inflated = inflate(NAMED[name.trim()] ?? [], bytes);
    if (inflated === "excess") return { type: "excess" };
    if (inflated === null) continue;
    layers.push(inflated.name);
    bytes = inflated.bytes;
  }
  while (layers.length <= MAX_LAYERS) {
    const inflated = inflate(compressionOf(bytes), bytes);
    if (inflated === "excess") return { type: "excess" };
    if (inflated !== null) {
      layers.push(inflated.name);
      bytes = inflated.bytes;
      continue;
    }
    const wide = readUtf16(bytes);
    if (wide !== null) return { type: "text", text: wide.text, layers: [...layers, wide.name] };
    if (isUtf8(bytes)) return { type: "text", text: bytes.toString("utf8"), layers };
    // Brotli and bare deflate bear no mark: what comes out must be text.
    const bare = inflate(["br", "deflate-raw"], bytes);
    if (bare === null || bare === "excess" || !isReadable(bare.bytes)) return { type: "bytes", bytes, layers };
    layers.push(bare.name);
    bytes = bare.bytes;
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
  // Meant is zlib's form [RFC 9110, 8.4.1.2]; bare deflate is sent as well.
  deflate: ["deflate", "deflate-raw"],
  br: ["br"],
};

/** By their first bytes. */
function compressionOf(bytes: Buffer): Compression[] {
  const [first = 0, second = 0] = bytes;
  if (first === 0x1f && second === 0x8b) return ["gzip"];
  if (first === 0x78 && (first * 256 + second) % 31 === 0) return ["deflate"];
  return [];
}

/** A body that was cut off gives what there is of it. */
const zlib = { maxOutputLength: MAX_DECODED, finishFlush: constants.Z_SYNC_FLUSH };
const inflaters: Record<Compression, (bytes: Buffer) => Buffer> = {
  gzip: (bytes) => gunzipSync(bytes, zlib),
  deflate: (bytes) => inflateSync(bytes, zlib),
  "deflate-raw": (bytes) => inflateRawSync(bytes, zlib),
  br: (bytes) =>
    brotliDecompressSync(bytes, {
      maxOutputLength: MAX_DECODED,
      finishFlush: constants.BROTLI_OPERATION_FLUSH,
    }),
};

function inflate(
  candidates: Compression[],
  bytes: Buffer,
): { name: Compression; bytes: Buffer } | "excess" | null {
  for (const name of candidates)
    try {
      const inflated = inflaters[name](bytes);
      if (inflated.length > 0) return { name, bytes: inflated };
    } catch (error) {
      if ((error as { code?: string }).code === "ERR_BUFFER_TOO_LARGE") return "excess";
    }
  return null;
}

/** By its byte order mark or by its zero bytes; in either case some of it is ASCII, as in every notation of data. */
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
