import type { BinaryWriter } from "@bufbuild/protobuf/wire";
import { ByteWriter } from "./byte-writer.js";

const writer = new ByteWriter();

/** Encodes what is written. @returns bytes of the caller's own */
export function encodeWith(write: (writer: BinaryWriter) => void): Buffer<ArrayBuffer> {
  // The one before may have ended in the middle, with an error.
  writer.restart();
  write(writer);
  return writer.finish();
}

/** Encodes a message with its generated codec. @returns bytes of the caller's own */
export function encode<T>(
  codec: { encode(message: T, writer: BinaryWriter): BinaryWriter },
  message: T,
): Buffer<ArrayBuffer> {
  return encodeWith(() => codec.encode(message, writer));
}
