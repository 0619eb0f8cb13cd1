// Stored documents: JSON, compressed with zstd if large.
import { zstdCompressSync, zstdDecompressSync } from "node:zlib";

/** Smaller documents stay plain JSON, which never begins with the magic number of zstd. */
const MIN_COMPRESSED_BYTES = 2_048;
const ZSTD_MAGIC = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);

export function packDocument(value: unknown): Buffer {
  const plain = Buffer.from(JSON.stringify(value));
  return plain.length < MIN_COMPRESSED_BYTES ? plain : zstdCompressSync(plain);
}

export function unpackDocument(packed: Buffer, parse: (text: string) => unknown = JSON.parse): unknown {
  const isCompressed = packed.subarray(0, ZSTD_MAGIC.length).equals(ZSTD_MAGIC);
  return parse((isCompressed ? zstdDecompressSync(packed) : packed).toString("utf8"));
}
