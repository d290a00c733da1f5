import { BinaryWriter } from "@bufbuild/protobuf/wire";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ByteWriter, enclose } from "../../src/protocol/byte-writer.js";
import { encode } from "../../src/protocol/encode.js";
import { ChatMessage, ConnectRequest, ConnectResponse, Service } from "../../src/protocol/wire.js";

const MAX_UINT64 = 2n ** 64n - 1n;
const text = fc.string({ unit: "binary", maxLength: 300 });
const uint64 = fc.oneof(fc.bigInt({ min: 0n, max: MAX_UINT64 }), fc.bigInt({ min: 0n, max: 300n }));
const time = fc.record({
  seconds: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  nanos: fc.integer(),
});
const metadata = fc
  .array(fc.tuple(text, text), { maxLength: 4 })
  .map((entries) => new Map(entries));
const chatMessage = fc
  .record({
    messageId: text,
    channelId: text,
    senderId: text,
    content: fc.oneof(
      text,
      fc.nat(70_000).map((length) => "語".repeat(length)),
    ),
    timestamp: fc.option(time, { nil: undefined }),
    seq: uint64,
    data: fc.uint8Array({ maxLength: 9_000 }).map((bytes) => Buffer.from(bytes)),
    metadata,
  })
  .map((fields) => ChatMessage.fromPartial(fields));
const receipt = fc.record({
  ...{ requestId: text, channelId: text, seq: uint64, messageId: text },
  ...{ timestamp: fc.option(time, { nil: undefined }), duplicate: fc.boolean() },
});

/** What the library's own writer makes of a message. */
function expected<T>(
  codec: { encode(message: T, writer: BinaryWriter): BinaryWriter },
  message: T,
): Buffer {
  return Buffer.from(codec.encode(message, new BinaryWriter()).finish());
}

function same<T>(codec: Parameters<typeof expected<T>>[0], message: T): void {
  expect(Buffer.compare(Buffer.from(encode(codec, message)), expected(codec, message))).toBe(0);
}

describe("messages are encoded byte for byte as the library encodes them", () => {
  test("messages of every size and text", () => {
    fc.assert(fc.property(chatMessage, (message) => same(ChatMessage, message)));
  });

  test("messages in messages, of whatever depth and length", () => {
    const request = fc
      .record({
        requestId: text,
        acks: fc.array(fc.record({ channelId: text, seq: uint64 }), { maxLength: 40 }),
        heartbeat: fc.boolean(),
        frame: chatMessage.map((value) => ({ $case: "chatMessage" as const, value })),
      })
      .map((fields) => ConnectRequest.fromPartial(fields));
    const response = fc
      .array(receipt, { maxLength: 40 })
      .map((receipts) => ConnectResponse.fromPartial({ receipts, replayed: true }));
    fc.assert(fc.property(request, (message) => same(ConnectRequest, message)));
    fc.assert(fc.property(response, (message) => same(ConnectResponse, message)));
  });

  test("numbers, lists and enums, those that no proto names among them", () => {
    const service = fc
      .record({
        serviceId: text,
        tags: fc.array(text, { maxLength: 5 }),
        metadata,
        acceptPolicy: fc.integer(),
        maxActiveChats: fc.nat(2 ** 32 - 1),
        registeredAt: fc.option(time, { nil: undefined }),
      })
      .map((fields) => Service.fromPartial(fields));
    fc.assert(fc.property(service, (message) => same(Service, message)));
  });
});

test("what a writer left half done is not in the next message", () => {
  const writer = new ByteWriter();
  writer.string("half").fork();
  writer.restart();
  writer.string("whole");
  expect(writer.finish()).toEqual(Buffer.from(new BinaryWriter().string("whole").finish()));
  expect(() => writer.join()).toThrow("not begun");
});

test("a field of a type that the contract does not have is not lost without a word", () => {
  const own = Object.getOwnPropertyNames(ByteWriter.prototype);
  const written = Object.getOwnPropertyNames(BinaryWriter.prototype).filter(
    (name) => !["constructor", "ensureCapacity", "view", "writeVarint64"].includes(name),
  );
  expect(written.filter((name) => !own.includes(name))).toEqual([]);
  expect(() => new ByteWriter().double()).toThrow("type double cannot be written");
});

test.each([
  ...([-1, 2 ** 32, 1.5, NaN] as const).map((value) => ["uint32", value] as const),
  ...([-(2 ** 31) - 1, 2 ** 31, 0.5, NaN] as const).map((value) => ["int32", value] as const),
  ...([-1n, 2n ** 64n, -1, 1.5, "x"] as const).map((value) => ["uint64", value] as const),
  ...([-(2n ** 63n) - 1n, 2n ** 63n, "x"] as const).map((value) => ["int64", value] as const),
])("what the wire cannot say is refused, as by the library: %s %s", (type, value) => {
  for (const writer of [new BinaryWriter(), new ByteWriter()]) {
    expect(() => writer[type](value as never)).toThrow();
  }
});

test.each([42, true, null, undefined, new Date(0), { toString: () => "語" }])(
  "what is no text is written as the library writes it: %s",
  (value) => {
    const [library, own] = [new BinaryWriter(), new ByteWriter()].map((writer) =>
      Buffer.from(writer.string(value as unknown as string).finish()),
    );
    expect(own).toEqual(library);
  },
);

test("what was encoded stays as it is when the next is", () => {
  const first = encode(ChatMessage, ChatMessage.fromPartial({ content: "first" }));
  const copy = Buffer.from(first);
  encode(ChatMessage, ChatMessage.fromPartial({ content: "later" }));
  expect(Buffer.from(first)).toEqual(copy);
});

test.each([0, 1, 127, 128, 16_383, 16_384, 3_000_000])("%i bytes are enclosed in a field", (n) => {
  const body = Buffer.alloc(n, 7);
  const field = new BinaryWriter()
    .uint32(24)
    .bool(true)
    .uint32((13 << 3) | 2)
    .bytes(body)
    .finish();
  expect(Buffer.compare(enclose([24, 1, (13 << 3) | 2], body), field)).toBe(0);
});
