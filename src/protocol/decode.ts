import { isUtf8 } from "node:buffer";
import { BinaryReader } from "@bufbuild/protobuf/wire";

/** A message as it came in, with what decoding alone can tell about it. */
export interface Decoded<T> {
  message: T;
  /** Encoded size. */
  sizeBytes: number;
  /** A text field that is not valid UTF-8, by its proto path such as `chat_message.content`. */
  badTextField: string | undefined;
}

/**
 * Decodes a message and notices text that is not UTF-8 (I5). The generated
 * decoder would turn it into U+FFFD where decoders of other languages refuse
 * the whole message, so such text must not get into the log.
 * @throws Error when the bytes are no protobuf at all
 */
export function decodeChecked<T>(
  codec: { decode(reader: BinaryReader): T },
  bytes: Uint8Array,
): Decoded<T> {
  const badTexts: string[] = [];
  const reader = new BinaryReader(bytes, (text) => {
    const decoded = Buffer.from(text.buffer, text.byteOffset, text.byteLength).toString("utf8");
    if (!isUtf8(text)) badTexts.push(decoded);
    return decoded;
  });
  const message = codec.decode(reader);
  const [badText] = badTexts;
  return {
    message,
    sizeBytes: bytes.length,
    badTextField: badText === undefined ? undefined : (pathOf(message, badText) ?? "a text field"),
  };
}

/** Where in a decoded message a text stands, as a path of proto field names. */
function pathOf(value: unknown, text: string): string | undefined {
  if (value === text) return "";
  if (value instanceof Map) return [...value].flat().includes(text) ? "" : undefined;
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return undefined;
  // A oneof is { $case, value } in the generated types; on the wire its name is the case's.
  if ("$case" in value && "value" in value) {
    const inner = pathOf(value.value, text);
    return inner === undefined ? undefined : join(snakeCase(String(value.$case)), inner);
  }
  if (Array.isArray(value)) {
    for (const item of value) {
      const inner = pathOf(item, text);
      if (inner !== undefined) return inner;
    }
    return undefined;
  }
  for (const [name, field] of Object.entries(value)) {
    const inner = pathOf(field, text);
    if (inner !== undefined) return name === "frame" ? inner : join(snakeCase(name), inner);
  }
  return undefined;
}

function join(name: string, inner: string): string {
  return inner === "" ? name : `${name}.${inner}`;
}

/** `chatMessage` → `chat_message`, the name it has in the proto. */
function snakeCase(camelCase: string): string {
  return camelCase.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
