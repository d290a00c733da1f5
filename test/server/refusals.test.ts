import Database from "better-sqlite3";
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  GRPC_STATUS,
  REFUSALS,
  type RefusalReason,
  refusalKind,
} from "../../src/protocol/refusals.js";
import type { ChatError, Service } from "../../src/protocol/wire.js";
import { AcceptPolicy, EndCode, RejectCode } from "../../src/protocol/wire.js";
import { startTestHub, type TestHub } from "../support/hub.js";
import { call, closeAgents, openAgent, type RawAgent } from "../support/raw-agent.js";
import {
  ANY_CHANNEL,
  ANY_SERVICE,
  activeChat,
  EMPTY_SERVICE,
  register,
  request,
  say,
} from "./chat.js";

type Frame = Parameters<RawAgent["ask"]>[0];

let hub: TestHub;
let provider: RawAgent;
let consumer: RawAgent;
let channelId: string;

beforeEach(async () => {
  hub = await startTestHub({ maxMessageBytes: 4096, maxPendingRequests: 2, maxChannels: 4 });
  provider = openAgent(hub.address, "weather", "manual");
  consumer = openAgent(hub.address, "alice", "manual");
  channelId = await activeChat(consumer, provider);
});
afterEach(async () => {
  await closeAgents();
  await hub.stop();
});

const message = (value: Partial<Extract<Frame, { $case: "chatMessage" }>["value"]>): Frame => ({
  $case: "chatMessage",
  value: { content: "x", ...value },
});

/** For each refusal that a frame can get: the frames that must get it, in a session of their own. */
const FRAMES: Partial<Record<RefusalReason, () => Frame[] | Promise<Frame[]>>> = {
  MISSING_FIELD: () => [
    message({}),
    message({ channelId, content: "" }),
    { $case: "chatRequest", value: {} },
    { $case: "chatAccept", value: {} },
    { $case: "chatReject", value: {} },
    { $case: "chatEnd", value: {} },
    { $case: "chatHistory", value: {} },
  ],
  INVALID_ID: () => [
    message({ targetAgent: "not an id" }),
    message({ channelId, messageId: "x".repeat(129) }),
    message({ channelId, messageId: "line\nbreak" }),
    message({ channelId, replyTo: "x".repeat(129) }),
    { $case: "chatRequest", value: { serviceId: "-x" } },
    { $case: "chatRequest", value: { providerId: "ä" } },
    { $case: "chatAccept", value: { consumerId: "a b" } },
  ],
  HUB_FIELD_SET: () => [
    message({ channelId, seq: 1n }),
    message({ channelId, timestamp: { seconds: 1n, nanos: 0 } }),
    { $case: "chatRequest", value: { serviceId: "s", channelId: "ch_mine" } },
    { $case: "chatAccept", value: { channelId, seq: 1n } },
    { $case: "chatReject", value: { channelId, code: RejectCode.REJECT_CODE_EXPIRED } },
    { $case: "chatReject", value: { channelId, code: RejectCode.REJECT_CODE_WITHDRAWN } },
    { $case: "chatEnd", value: { channelId, seq: 9n } },
    { $case: "chatEnd", value: { channelId, code: EndCode.END_CODE_POLICY } },
  ],
  BAD_TEXT: () => [
    message({ channelId, contentType: "x".repeat(256) }),
    { $case: "chatEnd", value: { channelId, reason: "x".repeat(1025) } },
  ],
  BAD_TIMEOUT: () => [
    { $case: "chatRequest", value: { providerId: "p", timeout: { seconds: 0n, nanos: 0 } } },
    { $case: "chatRequest", value: { providerId: "p", timeout: { seconds: -1n, nanos: 0 } } },
    { $case: "chatRequest", value: { providerId: "p", timeout: { seconds: 604_801n, nanos: 0 } } },
    { $case: "chatRequest", value: { providerId: "p", timeout: { seconds: 1n, nanos: -5 } } },
    { $case: "chatReject", value: { channelId, retryAfter: { seconds: 1n << 62n, nanos: 0 } } },
  ],
  METADATA_TOO_LARGE: () => [
    message({
      channelId,
      metadata: new Map(Array.from({ length: 33 }, (_, index) => [`${index}`, ""])),
    }),
  ],
  MESSAGE_TOO_LARGE: () => [message({ channelId, content: "x".repeat(4096) })],
  ADDRESS_CONFLICT: async () => {
    await register(hub.address, "weather", "weather-svc");
    return [
      message({ channelId, targetAgent: "bob" }),
      message({ channelId, serviceId: "weather-svc" }),
      { $case: "chatRequest", value: { serviceId: "weather-svc", providerId: "bob" } },
    ];
  },
  SELF_CHAT: () => [
    message({ targetAgent: "alice" }),
    { $case: "chatRequest", value: { providerId: "alice" } },
  ],
  CHANNEL_NOT_FOUND: () => [
    message({ channelId: "ch_none" }),
    { $case: "chatEnd", value: { channelId: "ch_none" } },
    { $case: "chatHistory", value: { channelId: "ch_none" } },
    { $case: "chatHistory", value: { serviceId: "none" } },
    { $case: "chatAccept", value: { channelId: "ch_none" } },
    { $case: "chatReject", value: { consumerId: "bob" } },
  ],
  SERVICE_NOT_FOUND: () => [
    message({ serviceId: "none" }),
    { $case: "chatRequest", value: { serviceId: "none" } },
  ],
  MESSAGE_ID_REUSED: async () => {
    await say(consumer, channelId, "first", "m-1");
    return [message({ channelId, messageId: "m-1", content: "second" })];
  },
  IDEMPOTENCY_KEY_REUSED: async () => {
    const value = { providerId: "bob", idempotencyKey: "k" };
    await consumer.store({ $case: "chatRequest", value });
    return [{ $case: "chatRequest", value: { ...value, content: "another" } }];
  },
  SENDER_MISMATCH: () => [
    message({ channelId, senderId: "weather" }),
    { $case: "chatRequest", value: { serviceId: "s", consumerId: "bob" } },
    { $case: "chatAccept", value: { channelId, providerId: "weather" } },
    { $case: "chatReject", value: { channelId, providerId: "weather" } },
    { $case: "chatEnd", value: { channelId, endedBy: "weather" } },
  ],
  NOT_PROVIDER: () => [
    { $case: "chatAccept", value: { channelId } },
    { $case: "chatReject", value: { channelId } },
  ],
  CHAT_NOT_ACCEPTED: async () => {
    await register(hub.address, "weather", "weather-svc");
    const pending = await request(consumer, "weather-svc");
    return [message({ channelId: pending.channelId }), message({ serviceId: "weather-svc" })];
  },
  CHANNEL_ENDED: async () => {
    await consumer.store({ $case: "chatEnd", value: { channelId } });
    return [message({ channelId })];
  },
  BUSY: async () => {
    const policy = { acceptPolicy: AcceptPolicy.ACCEPT_POLICY_AUTO, maxActiveChats: 1 };
    await register(hub.address, "weather", "weather-svc", policy);
    await request(openAgent(hub.address, "bob"), "weather-svc");
    return [message({ serviceId: "weather-svc" })];
  },
  TOO_MANY_PENDING: async () => {
    for (let count = 0; count < 2; count += 1) {
      await consumer.store({ $case: "chatRequest", value: { providerId: "bob" } });
    }
    return [{ $case: "chatRequest", value: { providerId: "bob" } }];
  },
  TOO_MANY_CHANNELS: async () => {
    for (const targetAgent of ["bob", "carol", "dave"]) {
      await consumer.store(message({ targetAgent }));
    }
    await register(hub.address, "weather", "auto", {
      acceptPolicy: AcceptPolicy.ACCEPT_POLICY_AUTO,
    });
    return [
      message({ targetAgent: "erin" }),
      message({ serviceId: "auto" }),
      { $case: "chatRequest", value: { providerId: "erin" } },
      { $case: "chatRequest", value: { serviceId: "auto" } },
    ];
  },
};

test.each(Object.entries(FRAMES))(
  "M5: %s is refused, stores nothing, and the session goes on",
  async (reason, frames) => {
    const bad = await frames();
    const before = await hub.entryCount();
    for (const frame of bad) {
      const answer = await consumer.ask(frame);
      expectError(answer.frame, reason as RefusalReason);
    }
    expect(await hub.entryCount()).toBe(before);
    await consumer.settled();
  },
);

test("C3: AMBIGUOUS and ALREADY_ANSWERED are the provider's to get", async () => {
  await register(hub.address, "weather", "weather-svc");
  await request(consumer, "weather-svc");
  await request(consumer, "weather-svc");
  const twice = await provider.ask({ $case: "chatAccept", value: { consumerId: "alice" } });
  expectError(twice.frame, "AMBIGUOUS");
  const other = await provider.ask({ $case: "chatReject", value: { channelId } });
  expectError(other.frame, "ALREADY_ANSWERED");
});

test("D2: POSITION_AHEAD refuses the whole request", async () => {
  const answer = await consumer.ask({ $case: "chatEnd", value: { channelId } }, [
    { channelId, seq: 99n },
  ]);
  expectError(answer.frame, "POSITION_AHEAD");
  await say(consumer, channelId, "the chat goes on");
});

test("M5: EMPTY_FRAME is the answer to a request that holds nothing, or something unknown", async () => {
  consumer.sendRequest({ requestId: "empty" });
  // Field 99 with an empty message, as a newer client might send.
  consumer.sendBytes(Buffer.from([0x0a, 1, 0x75, 0x9a, 0x06, 0]));
  await consumer.settled();
  for (const id of ["empty", "u"]) {
    const answer = consumer.responses.find((response) => response.requestId === id);
    expectError(answer?.frame, "EMPTY_FRAME");
  }
});

test("A3: DIRECT_CHATS_DISABLED refuses chats without a service where they are switched off", async () => {
  const strict = await startTestHub({ directChats: false });
  const agent = openAgent(strict.address, "alice");
  const bob = { targetAgent: "bob" };
  expectError((await agent.ask(message(bob))).frame, "DIRECT_CHATS_DISABLED");
  const asked = await agent.ask({ $case: "chatRequest", value: { providerId: "bob" } });
  expectError(asked.frame, "DIRECT_CHATS_DISABLED");
  await agent.cut();
  await strict.stop();
});

test("M1: STORAGE_UNAVAILABLE while another process holds the database; nothing is half stored", async () => {
  const lock = new Database(hub.dbPath);
  lock.exec("BEGIN IMMEDIATE");
  const answer = await consumer.ask(message({ channelId, messageId: "m-1" }));
  expectError(answer.frame, "STORAGE_UNAVAILABLE");
  lock.exec("ROLLBACK");
  lock.close();
  // The same again, as a client would.
  expect(await say(consumer, channelId, "x", "m-1")).toMatchObject({ duplicate: false, seq: 3n });
  expect(await provider.next("chatMessage")).toMatchObject({ messageId: "m-1" });
});

test("S1 I5: unary calls are refused with a status, the reason in a trailer", async () => {
  const { address } = hub;
  const service = { ...EMPTY_SERVICE, serviceId: "weather-svc" };
  const registered = (fields: Partial<Service>, agentId = "weather") =>
    call(address, agentId, "registerService", { service: { ...service, ...fields } });
  await registered({});
  const tags = Array.from({ length: 33 }, (_, index) => `${index}`);
  const refused: [RefusalReason, () => Promise<unknown>][] = [
    ["MISSING_FIELD", () => registered({ serviceId: "" })],
    ["MISSING_FIELD", () => call(address, "weather", "registerService", { service: undefined })],
    ["INVALID_ID", () => registered({ serviceId: "a b" })],
    ["SENDER_MISMATCH", () => registered({ providerId: "bob" })],
    ["HUB_FIELD_SET", () => registered({ openChannelId: "ch_mine" })],
    ["BAD_TEXT", () => registered({ tags: ["x".repeat(65)] })],
    ["BAD_VALUE", () => registered({ tags })],
    ["INVALID_ID", () => registered({ allowedConsumers: ["friend-*", "a b"] })],
    ["INVALID_ID", () => registered({ allowedConsumers: [""] })],
    ["BAD_VALUE", () => registered({ allowedConsumers: Array.from({ length: 65 }, () => "a") })],
    ["MESSAGE_TOO_LARGE", () => registered({ description: "x".repeat(4096) })],
    ["SERVICE_TAKEN", () => registered({}, "bob")],
    ["NOT_PROVIDER", () => call(address, "bob", "unregisterService", { serviceId: "weather-svc" })],
    ["SERVICE_NOT_FOUND", () => call(address, "bob", "unregisterService", { serviceId: "none" })],
    ["MISSING_FIELD", () => call(address, "bob", "unregisterService", { serviceId: "" })],
    ["BAD_VALUE", () => call(address, "bob", "listServices", { ...ANY_SERVICE, pageToken: "?" })],
    ["BAD_VALUE", () => call(address, "bob", "listChannels", { ...ANY_CHANNEL, pageToken: "eA" })],
    ["INVALID_ID", () => call(address, "bob", "listChannels", { ...ANY_CHANNEL, memberId: "a*" })],
    ["NOT_ADMIN", () => call(address, "bob", "listChannels", { ...ANY_CHANNEL, memberId: "*" })],
    ["NOT_ADMIN", () => call(address, "bob", "listChannels", { ...ANY_CHANNEL, memberId: "bob" })],
    ["MISSING_AGENT_ID", () => call(address, "", "listChannels", ANY_CHANNEL)],
  ];
  for (const [reason, provoke] of refused) {
    const error = await provoke().then(
      () => expect.fail(`${reason} did not come`),
      (status) => status,
    );
    expect(error.metadata.get("claw-reason")).toEqual([reason]);
    expect(error.code).toBe(refusalKind(reason).code);
    expect(error.details).toMatch(/^[A-Z_]+: .{10,}/);
  }
});

/** Rows that another file provokes, each over a real connection too. */
const ELSEWHERE: Partial<Record<RefusalReason, string>> = {
  AGENT_NOT_FOUND: "model/core.test.ts, I3",
  TOO_MANY_SESSIONS: "limits.test.ts, I4",
  RATE_LIMITED: "limits.test.ts, M8",
  SUPERSEDED: "delivering.test.ts, I4",
  HEARTBEAT_MISSED: "heartbeat.test.ts, L3",
  SHUTTING_DOWN: "leaving.test.ts, L2",
  STORAGE_FULL: "storage-trouble.test.ts, M1",
  TOO_MANY_CONNECTIONS: "connections.test.ts, M5",
  INTERNAL: "turns.test.ts, M5",
  MISSING_CREDENTIALS: "credentials.test.ts, I1",
  BAD_CREDENTIALS: "credentials.test.ts, I2",
  CREDENTIALS_EXPIRED: "credentials.test.ts, I2",
  CREDENTIALS_REVOKED: "credentials.test.ts, I2",
  AGENT_NOT_ALLOWED: "credentials.test.ts, I1",
  TOO_MANY_FAILED_LOGINS: "credentials.test.ts, I2",
  KEY_SET_UNAVAILABLE: "tokens.test.ts, I1",
  NOT_DECODED: "identity.test.ts, M5",
};
const HERE: RefusalReason[] = [
  ...(Object.keys(FRAMES) as RefusalReason[]),
  "AMBIGUOUS",
  "ALREADY_ANSWERED",
  "POSITION_AHEAD",
  "EMPTY_FRAME",
  "DIRECT_CHATS_DISABLED",
  "STORAGE_UNAVAILABLE",
  "SERVICE_TAKEN",
  "BAD_VALUE",
  "NOT_ADMIN",
  "MISSING_AGENT_ID",
];

test("M5: every row of the table of refusals is provoked by a test", () => {
  expect([...HERE, ...Object.keys(ELSEWHERE)].sort()).toEqual(Object.keys(REFUSALS).sort());
});

function expectError(frame: unknown, reason: RefusalReason): void {
  const { code, retryable } = refusalKind(reason);
  expect(frame).toMatchObject({ $case: "error", value: { reason, code, retryable } });
  const { message: sentence } = (frame as { value: ChatError }).value;
  expect(sentence.length).toBeGreaterThan(15);
  expect(Object.values(GRPC_STATUS)).toContain(code);
}
