import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeChecked } from "../../src/protocol/decode.js";
import * as field from "../../src/protocol/field-rules.js";
import { isValidId } from "../../src/protocol/ids.js";
import { DEFAULT_LIMITS, DEFAULT_MAX_MESSAGE_BYTES } from "../../src/protocol/limits.js";
import { durationMsOf, durationOf, epochMsOf, timestampOf } from "../../src/protocol/time.js";
import { ConnectRequest, RegisterServiceRequest } from "../../src/protocol/wire.js";
import { readRequest } from "../../src/server/request-rules.js";

function broken(message: ConnectRequest, text: string): Uint8Array {
  const bytes = Buffer.from(ConnectRequest.encode(message).finish());
  bytes[bytes.indexOf(text)] = 0xc0;
  return bytes;
}

test("I5: text that is not UTF-8 is noticed, with the path of its field", () => {
  const cases: [Parameters<typeof ConnectRequest.fromPartial>[0], string][] = [
    [{ requestId: "QQQ" }, "request_id"],
    [{ acks: [{ channelId: "QQQ" }] }, "acks.channel_id"],
    [{ frame: { $case: "chatMessage", value: { content: "QQQ" } } }, "chat_message.content"],
    [
      { frame: { $case: "chatRequest", value: { metadata: new Map([["k", "QQQ"]]) } } },
      "chat_request.metadata",
    ],
  ];
  for (const [message, path] of cases) {
    const decoded = decodeChecked(
      ConnectRequest,
      broken(ConnectRequest.fromPartial(message), "QQQ"),
    );
    expect(decoded.badTextField).toBe(path);
  }
});

test("I5: any well-formed text is kept as it is, a leading byte-order mark too", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (content) => {
      const message = ConnectRequest.fromPartial({
        frame: { $case: "chatMessage", value: { content: `\uFEFF${content}` } },
      });
      const decoded = decodeChecked(ConnectRequest, ConnectRequest.encode(message).finish());
      expect(decoded.badTextField).toBeUndefined();
      expect(decoded.message).toEqual(message);
    }),
  );
});

test("M5: whatever bytes come in are decoded or refused, and a frame decoded from them is checked", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      for (const codec of [ConnectRequest, RegisterServiceRequest] as const) {
        try {
          decodeChecked<unknown>(codec, bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(Error);
        }
      }
      // As the content of each of the six frames, so that more than the envelope is reached.
      for (let number = 10; number <= 15; number += 1) {
        const framed = Buffer.concat([
          Buffer.from([(number << 3) | 2, bytes.length & 0x7f]),
          bytes.subarray(0, bytes.length & 0x7f),
        ]);
        try {
          readRequest(framed, "alice", DEFAULT_MAX_MESSAGE_BYTES, DEFAULT_LIMITS);
        } catch (error) {
          expect(error).toBeInstanceOf(Error);
          expect(String(error)).not.toMatch(/undefined|is not a function/);
        }
      }
    }),
    { numRuns: 2_000 },
  );
});

test("I3: ids are 1 to 128 of the allowed characters, beginning with a letter or digit", () => {
  for (const good of ["a", "9", "A.b_c:d@e/f-g", "x".repeat(128)])
    expect(isValidId(good)).toBe(true);
  for (const bad of ["", "-a", ".a", "a b", "ä", "a\n", "x".repeat(129)]) {
    expect(isValidId(bad)).toBe(false);
  }
});

test("I5: a duration is in range or refused, and what is in range converts both ways", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 7 * 24 * 3_600_000 }), (durationMs) => {
      const duration = durationOf(durationMs);
      expect(field.duration("timeout", duration, 1)).toBeUndefined();
      expect(durationMsOf(duration)).toBe(durationMs);
    }),
  );
  for (const bad of [
    { seconds: 1n << 63n, nanos: 0 },
    { seconds: 0n, nanos: 1e9 },
    { seconds: 604_800n, nanos: 1 },
  ]) {
    expect(field.duration("timeout", bad, 1)?.reason).toBe("BAD_TIMEOUT");
  }
});

test("M4: timestamps are shown to the millisecond", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 4e12 }), (epochMs) => {
      expect(epochMsOf(timestampOf(epochMs))).toBe(epochMs);
    }),
  );
});
