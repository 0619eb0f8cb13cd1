// Stored documents: JSON, with its usual passages shortened or, if large, compressed with zstd.
import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { expand, shorten } from "./passages.ts";

/** Smaller documents stay text, which never begins with the magic number of zstd. */
const MIN_COMPRESSED_BYTES = 2_048;
const ZSTD_MAGIC = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);

export function packDocument(value: unknown): Buffer {
  const json = JSON.stringify(value);
  if (json.length < MIN_COMPRESSED_BYTES) return Buffer.from(shorten(json));
  return zstdCompressSync(Buffer.from(json));
}

export function unpackDocument(packed: Buffer, parse: (text: string) => unknown = JSON.parse): unknown {
  const isCompressed = packed.subarray(0, ZSTD_MAGIC.length).equals(ZSTD_MAGIC);
  return parse(isCompressed ? zstdDecompressSync(packed).toString("utf8") : expand(packed.toString("utf8")));
}
