import { BinaryWriter } from "@bufbuild/protobuf/wire";

const FIRST_BYTES = 4096;
/** A buffer that has grown beyond this is not kept. */
const MAX_KEPT_BYTES = 64 * 1024;
/** No varint is longer. */
const MAX_VARINT_BYTES = 10;
/** Up to here a text is copied faster letter by letter. */
const SHORT_TEXT = 48;

/**
 * Writes what the library's writer writes, byte for byte, into one buffer that it keeps between
 * messages; `finish` copies out of Node's pool. Allocating for every message anew cost a quarter of
 * what a message costs the hub (`npm run bench:profile`). Only what the generated code calls
 * is written anew; a test compares both over generated messages.
 */
export class ByteWriter extends BinaryWriter {
  #bytes = Buffer.allocUnsafeSlow(FIRST_BYTES);
  #end = 0;
  /** Where the lengths of the open submessages stand. */
  #forks: number[] = [];

  /** Forgets what was written, also where that was left half done. */
  restart(): void {
    if (this.#bytes.length > MAX_KEPT_BYTES) this.#bytes = Buffer.allocUnsafeSlow(FIRST_BYTES);
    this.#end = 0;
    // Setting a length costs more than asking for it.
    if (this.#forks.length > 0) this.#forks = [];
  }

  override finish(): Buffer<ArrayBuffer> {
    const bytes = Buffer.allocUnsafe(this.#end);
    this.#bytes.copy(bytes, 0, 0, this.#end);
    this.restart();
    return bytes;
  }

  override fork(): this {
    this.#reserve(1);
    this.#forks.push(this.#end);
    // Most submessages have a length of one byte.
    this.#end += 1;
    return this;
  }

  override join(): this {
    const at = this.#forks.pop();
    if (at === undefined) throw new Error("a submessage was ended that was not begun");
    const length = this.#end - at - 1;
    const extra = varintLength(length) - 1;
    if (extra > 0) {
      this.#reserve(extra);
      this.#bytes.copyWithin(at + 1 + extra, at + 1, this.#end);
    }
    this.#end = at;
    this.uint32(length);
    this.#end += length;
    return this;
  }

  override tag(field: number, wireType: number): this {
    return this.uint32((field << 3) | wireType);
  }

  override raw(chunk: Uint8Array): this {
    this.#reserve(chunk.length);
    this.#bytes.set(chunk, this.#end);
    this.#end += chunk.length;
    return this;
  }

  override bytes(value: Uint8Array): this {
    return this.uint32(value.length).raw(value);
  }

  override string(value: string): this {
    // From callers without types, as the library does.
    const text = typeof value === "string" ? value : String(value);
    this.#reserve(text.length * 3 + MAX_VARINT_BYTES);
    if (text.length <= SHORT_TEXT && this.#ascii(text)) return this;
    const at = this.#end;
    const guessed = varintLength(text.length);
    const length = this.#bytes.write(text, at + guessed);
    const width = varintLength(length);
    if (width !== guessed) {
      this.#bytes.copyWithin(at + width, at + guessed, at + guessed + length);
    }
    this.uint32(length);
    this.#end += length;
    return this;
  }

  override bool(value: boolean): this {
    return this.uint32(value ? 1 : 0);
  }

  override uint32(value: number): this {
    if (value >>> 0 !== value) throw invalid("uint32", value);
    this.#reserve(MAX_VARINT_BYTES);
    let rest = value;
    while (rest > 0x7f) {
      this.#bytes[this.#end++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.#bytes[this.#end++] = rest;
    return this;
  }

  override int32(value: number): this {
    if ((value | 0) !== value) throw invalid("int32", value);
    return value >= 0 ? this.uint32(value) : this.#varint64(BigInt.asUintN(64, BigInt(value)));
  }

  override uint64(value: string | number | bigint): this {
    if (typeof value === "number") {
      if (!(Number.isSafeInteger(value) && value >= 0)) throw invalid("uint64", value);
      return this.#varint(value);
    }
    const whole = BigInt(value);
    if (BigInt.asUintN(64, whole) !== whole) throw invalid("uint64", value);
    return this.#varint64(whole);
  }

  override int64(value: string | number | bigint): this {
    const whole = BigInt(value);
    if (BigInt.asIntN(64, whole) !== whole) throw invalid("int64", value);
    return this.#varint64(BigInt.asUintN(64, whole));
  }

  override float(): never {
    throw missing("float");
  }

  override double(): never {
    throw missing("double");
  }

  override fixed32(): never {
    throw missing("fixed32");
  }

  override sfixed32(): never {
    throw missing("sfixed32");
  }

  override fixed64(): never {
    throw missing("fixed64");
  }

  override sfixed64(): never {
    throw missing("sfixed64");
  }

  override sint32(): never {
    throw missing("sint32");
  }

  override sint64(): never {
    throw missing("sint64");
  }

  #varint64(value: bigint): this {
    this.#reserve(MAX_VARINT_BYTES);
    let rest = value;
    // In numbers as soon as it fits: big integers are slow.
    while (rest > MAX_SAFE) {
      this.#bytes[this.#end++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    return this.#varint(Number(rest));
  }

  #varint(value: number): this {
    this.#reserve(MAX_VARINT_BYTES);
    let rest = value;
    while (rest > 0x7f) {
      this.#bytes[this.#end++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#bytes[this.#end++] = rest;
    return this;
  }

  #ascii(text: string): boolean {
    let end = this.#end;
    this.#bytes[end++] = text.length;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code > 0x7f) return false;
      this.#bytes[end++] = code;
    }
    this.#end = end;
    return true;
  }

  #reserve(length: number): void {
    const needed = this.#end + length;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#bytes.length * 2));
    this.#bytes.copy(larger, 0, 0, this.#end);
    this.#bytes = larger;
  }
}

/** The contract has no field of this type yet; what the library would write would be lost. */
function missing(type: string): Error {
  return new Error(`a field of type ${type} cannot be written; add it here`);
}

/** The library refuses it as well: what the wire cannot say would be something else there. */
function invalid(type: string, value: unknown): Error {
  return new Error(`invalid ${type}: ${String(value)}`);
}

const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER);

/** Bytes of a varint of up to 32 bits. */
function varintLength(value: number): number {
  let length = 1;
  for (let rest = value; rest > 0x7f; rest >>>= 7) length += 1;
  return length;
}

/** A message whose only content is one field of bytes: a head that ends in its tag, its length, and it. */
export function enclose(head: readonly number[], body: Uint8Array): Buffer<ArrayBuffer> {
  const { length } = body;
  const start = head.length + varintLength(length);
  const bytes = Buffer.allocUnsafe(start + length);
  let at = 0;
  for (const byte of head) bytes[at++] = byte;
  let rest = length;
  for (; rest > 0x7f; rest >>>= 7) bytes[at++] = (rest & 0x7f) | 0x80;
  bytes[at] = rest;
  bytes.set(body, start);
  return bytes;
}
