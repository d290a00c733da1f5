import type { BinaryWriter } from "@bufbuild/protobuf/wire";
import { ByteWriter } from "./byte-writer.js";

const writer = new ByteWriter();

/** Encodes a message with its generated codec. @returns bytes of the caller's own */
export function encode<T>(
  codec: { encode(message: T, writer: BinaryWriter): BinaryWriter },
  message: T,
): Uint8Array {
  // The one before may have ended in the middle, with an error.
  writer.restart();
  codec.encode(message, writer);
  return writer.finish();
}
