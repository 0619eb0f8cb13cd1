// Large documents as they rest: JSON, compressed with zstd, apart from the tables that are read often.
import { zstdCompressSync, zstdDecompressSync } from "node:zlib";

/** Fewer bytes are not worth the time: the document rests as plain JSON, which never begins like zstd. */
const WORTH_COMPRESSING = 2_048;
const ZSTD_MAGIC = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);

export function packDocument(value: unknown): Buffer {
  const plain = Buffer.from(JSON.stringify(value));
  return plain.length < WORTH_COMPRESSING ? plain : zstdCompressSync(plain);
}

export function unpackDocument(packed: Buffer, parse: (text: string) => unknown = JSON.parse): unknown {
  const isCompressed = packed.subarray(0, ZSTD_MAGIC.length).equals(ZSTD_MAGIC);
  return parse((isCompressed ? zstdDecompressSync(packed) : packed).toString("utf8"));
}
