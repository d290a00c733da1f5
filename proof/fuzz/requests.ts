import { ConnectRequest } from "claw-chat-hub/protocol";
import type { Random } from "../support/random.ts";
import { mutated, noise } from "./mutate.ts";

type Frame = NonNullable<Parameters<typeof ConnectRequest.fromPartial>[0]["frame"]>;

const SECONDS = [0n, -1n, 1n, 2n ** 63n - 1n, -(2n ** 63n), 253_402_300_800n, 315_576_000_001n];
const NANOS = [0, -1, 1, 999_999_999, 1_000_000_000, 2 ** 31 - 1, -(2 ** 31)];
const SEQS = [0n, 1n, 2n ** 53n + 1n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n];
const TEXTS = [
  "",
  "mallory",
  "\0",
  "a\u202eb",
  "\ufeff",
  "\u0000\u001b[2J",
  "%s%n",
  "' OR 1=1 --",
  "__proto__",
  "../../etc/passwd",
  "é".normalize("NFD"),
  "\u{10ffff}",
  "x".repeat(129),
  "x".repeat(70_000),
  "*".repeat(200),
];

/** The encoded bytes of a request to Connect, seldom one that is right. */
export function hostileRequest(random: Random): Buffer {
  switch (random.int(0, 9)) {
    case 0:
      return noise(random, 200);
    case 1:
      return deep(random);
    case 2:
      return wide(random);
    case 3:
    case 4:
    case 5:
      return Buffer.from(ConnectRequest.encode(requestOf(random)).finish());
    default:
      return mutated(random, ConnectRequest.encode(requestOf(random)).finish());
  }
}

/** A message in a message, thousands of times: groups, which no field of ours is, or our own. */
function deep(random: Random): Buffer {
  const tag = random.pick([0x0b, 0x7b, 0x52, 0x6a]);
  return Buffer.alloc(random.pick([100, 10_000, 900_000]), tag);
}

/** Far more of something than anybody would send. */
function wide(random: Random): Buffer {
  const piece = random.pick([
    Buffer.of(0x12, 0),
    Buffer.of(0x12, 4, 0x0a, 0, 0x10, 1),
    Buffer.of(0x0a, 1, 0x61),
    Buffer.of(0x6a, 4, 0x7a, 2, 0x0a, 0),
    Buffer.of(0xf8, 0xff, 0xff, 0xff, 0x0f, 1),
  ]);
  return Buffer.alloc(random.pick([5_000, 500_000, 3_000_000]), piece);
}

function requestOf(random: Random): ConnectRequest {
  const text = () => random.pick(TEXTS);
  const time = () => ({ seconds: random.pick(SECONDS), nanos: random.pick(NANOS) });
  const common = { channelId: text(), content: text(), seq: random.pick(SEQS), timestamp: time() };
  const pairs = random.pick([0, 0, 1, 33, 5_000]);
  // Two long texts are enough for one request.
  const value = () => (pairs > 2 ? text().slice(0, 40) : text());
  const metadata = new Map(
    Array.from({ length: pairs }, (_, index) => [`${value()}${index}`, value()]),
  );
  const frames: Frame[] = [
    {
      $case: "chatRequest",
      value: {
        serviceId: text(),
        providerId: text(),
        timeout: time(),
        idempotencyKey: text(),
        metadata,
      },
    },
    {
      $case: "chatMessage",
      value: { ...common, targetAgent: text(), messageId: text(), metadata },
    },
    { $case: "chatMessage", value: { targetAgent: "mallory-2", content: "x" } },
    { $case: "chatAccept", value: { ...common, consumerId: text() } },
    { $case: "chatReject", value: { ...common, code: random.int(-1, 99), retryAfter: time() } },
    { $case: "chatEnd", value: { ...common, reason: text() } },
    { $case: "chatHistory", value: { channelId: text(), limit: random.pick([0, 1, 2 ** 31 - 1]) } },
  ];
  return ConnectRequest.fromPartial({
    requestId: text(),
    heartbeat: random.int(0, 1) === 1,
    acks: Array.from({ length: random.int(0, 3) }, () => ({
      channelId: text(),
      seq: random.pick(SEQS),
    })),
    frame: random.pick(frames),
  });
}
