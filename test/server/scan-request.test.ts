import fc from "fast-check";
import { expect, test } from "vitest";
import { completeMessage } from "../../src/protocol/sent-message.js";
import { ChatMessage, ConnectRequest } from "../../src/protocol/wire.js";
import { scanRequest } from "../../src/server/scan-request.js";

const PLACE = { messageId: "m", channelId: "ch", senderId: "alice", seq: 7, storedAtMs: 1_234 };
const text = fc.oneof(fc.string({ maxLength: 20 }), fc.string({ unit: "binary", maxLength: 200 }));
const message = fc
  .record(
    {
      ...{ messageId: text, channelId: text, senderId: text, content: text, targetAgent: text },
      ...{ serviceId: text, contentType: text, replyTo: text },
      data: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
    },
    { requiredKeys: [] },
  )
  .map((fields) => ChatMessage.fromPartial(fields));

function requestWith(value: ChatMessage, requestId = "1"): Buffer {
  const request = ConnectRequest.fromPartial({ requestId, frame: { $case: "chatMessage", value } });
  return Buffer.from(ConnectRequest.encode(request).finish());
}

/** A request whose chat_message is these bytes. */
function requestOf(...parts: (number[] | Uint8Array)[]): Buffer {
  const body = Buffer.concat(parts.map((part) => Buffer.from(part)));
  return Buffer.concat([Buffer.from([(13 << 3) | 2, body.length]), body]);
}
const CONTENT = Buffer.from([(4 << 3) | 2, 1, 0x61]);

test("a message is read without being decoded, and says the same as if it had been", () => {
  let read = 0;
  fc.assert(
    fc.property(message, text, (value, requestId) => {
      const found = scanRequest(requestWith(value, requestId));
      if (found === undefined) return;
      read += 1;
      expect(found.requestId).toBe(requestId);
      const { bytes, isEmpty, setsSeq, setsTimestamp, metadata, ...names } = found.frame.value;
      expect(value).toMatchObject(names);
      expect(metadata.size).toBe(0);
      expect(isEmpty).toBe(value.content === "" && value.data.length === 0);
      expect([setsSeq, setsTimestamp]).toEqual([false, false]);
      expect(Buffer.compare(bytes, ChatMessage.encode(value).finish())).toBe(0);
    }),
  );
  expect(read, "messages that were read").toBeGreaterThan(50);
});

test("M3: the hub's fields stand behind the sender's, and nothing of the sender's is changed", () => {
  fc.assert(
    fc.property(message, (value) => {
      const sent = scanRequest(requestWith(value))?.frame.value;
      if (sent === undefined) return;
      expect(ChatMessage.decode(completeMessage(sent, PLACE))).toEqual({
        ...value,
        messageId: value.messageId || "m",
        channelId: value.channelId || "ch",
        senderId: value.senderId || "alice",
        seq: 7n,
        timestamp: { seconds: 1n, nanos: 234_000_000 },
      });
    }),
  );
});

test.each<[string, Buffer]>([
  ["a field twice", requestOf(CONTENT, CONTENT)],
  ["an unknown field", requestOf(CONTENT, [(13 << 3) | 2, 1, 0x61])],
  ["a field of a number of two bytes", requestOf(CONTENT, [0x82, 0x01, 1, 0x61])],
  ["a tag that is longer than it has to be", requestOf([0x80 | (4 << 3) | 2, 0, 1, 0x61])],
  ["a length that is longer than it has to be", requestOf([(4 << 3) | 2, 0x81, 0, 0x61])],
  ["a field of another wire type", requestOf(CONTENT, [1 << 3, 5])],
  ["an empty field", requestOf(CONTENT, [(3 << 3) | 2, 0])],
  ["seq", requestOf(CONTENT, [6 << 3, 9])],
  ["a timestamp", requestOf(CONTENT, [(5 << 3) | 2, 2, 1 << 3, 1])],
  ["metadata", requestOf(CONTENT, [(11 << 3) | 2, 4, 10, 0, 18, 0])],
  ["content that is no text", requestOf([(4 << 3) | 2, 1, 0xff])],
  ["a name that is no text", requestOf(CONTENT, [(7 << 3) | 2, 1, 0xff])],
  ["a name that ends in the middle of a letter", requestOf(CONTENT, [(2 << 3) | 2, 1, 0xe8])],
  ["a field that is longer than the message", requestOf(CONTENT, [(2 << 3) | 2, 9, 0x61])],
  ["a length without end", requestOf(CONTENT, [(2 << 3) | 2, 0xff, 0xff, 0xff, 0xff, 0xff])],
  ["a message that is cut off", requestOf(CONTENT).subarray(0, -1)],
  ["a request_id that is no text", Buffer.concat([requestOf(CONTENT), Buffer.from([10, 1, 0xff])])],
  ["two messages", Buffer.concat([requestOf(CONTENT), requestOf(CONTENT)])],
  ["acks", Buffer.concat([requestOf(CONTENT), Buffer.from([(2 << 3) | 2, 0])])],
  ["another frame", Buffer.concat([requestOf(CONTENT), Buffer.from([(14 << 3) | 2, 0])])],
  ["no message", Buffer.from([10, 1, 0x61])],
  ["nothing", Buffer.alloc(0)],
])("M5: a request with %s is not passed on as it came", (_what, bytes) => {
  expect(scanRequest(bytes)).toBeUndefined();
});

test("M5: of whatever bytes, only those are passed on that any decoder reads as one message", () => {
  fc.assert(
    fc.property(message, fc.nat(), fc.nat(255), (value, at, byte) => {
      const bytes = requestWith(value);
      bytes[at % bytes.length] = byte;
      const found = scanRequest(bytes);
      if (found === undefined) return;
      const { frame, requestId, acks, heartbeat, setAside } = ConnectRequest.decode(bytes);
      expect({ requestId, acks, heartbeat, setAside }).toEqual({
        ...{ requestId: found.requestId, acks: [], heartbeat: false, setAside: [] },
      });
      if (frame?.$case !== "chatMessage") throw new Error("no message");
      const { bytes: raw, ...names } = found.frame.value;
      expect(frame.value).toMatchObject({ messageId: names.messageId, replyTo: names.replyTo });
      // Nothing that a decoder would leave out or read twice.
      expect(ChatMessage.encode(frame.value).finish()).toHaveLength(raw.length);
    }),
    { numRuns: 2_000 },
  );
});
