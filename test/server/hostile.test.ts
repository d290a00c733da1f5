import { once } from "node:events";
import { connect as connectHttp2, constants } from "node:http2";
import { connect as connectTcp } from "node:net";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { startTestHub, type TestHub } from "../support/hub.js";
import { closeAgents, openAgent, type RawAgent } from "../support/raw-agent.js";

/** A fixed seed: what these send is random, but the same in every run. */
const SEED = 20_261_122;

let hub: TestHub;
let control: RawAgent;
beforeEach(async () => {
  hub = await startTestHub();
  control = openAgent(hub.address, "control", "manual");
  await control.next("sessionStarted");
});
afterEach(async () => {
  await closeAgents();
  await hub.stop();
});

function port(): number {
  return Number(hub.address.split(":")[1]);
}

/** Sends these bytes on a connection of their own, and waits until it is gone. */
async function sendRaw(bytes: Uint8Array): Promise<void> {
  const socket = connectTcp(port(), "127.0.0.1");
  socket.on("error", () => {});
  const closed = once(socket, "close");
  socket.resume();
  socket.end(bytes);
  await closed;
}

/** A Connect call whose body is these bytes, as no gRPC library would send them. */
async function callRaw(body: Uint8Array, headers: Record<string, string> = {}): Promise<void> {
  const session = connectHttp2(`http://${hub.address}`);
  session.on("error", () => {});
  const stream = session.request({
    [constants.HTTP2_HEADER_METHOD]: "POST",
    [constants.HTTP2_HEADER_PATH]: "/claw.chat.v1.ChatHub/Connect",
    "content-type": "application/grpc",
    te: "trailers",
    "claw-agent-id": "mallory",
    ...headers,
  });
  stream.on("error", () => {});
  const closed = once(stream, "close");
  stream.resume();
  stream.end(body);
  await closed;
  session.destroy();
}

test("M5: whatever bytes come to the port, the hub goes on serving", async () => {
  const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  await fc.assert(
    fc.asyncProperty(fc.boolean(), fc.uint8Array({ maxLength: 300 }), async (http2, noise) => {
      await sendRaw(http2 ? Buffer.concat([preface, noise]) : noise);
    }),
    { numRuns: 150, seed: SEED },
  );
  await control.settled();
});

test("M5: whatever a call's body holds, the hub goes on serving", async () => {
  const framed = fc
    .tuple(fc.integer({ min: 0, max: 255 }), fc.uint8Array({ maxLength: 120 }), fc.nat(3))
    .map(([flags, payload, lie]) => {
      const head = Buffer.alloc(5);
      head[0] = flags < 200 ? 0 : flags;
      head.writeUInt32BE(lie === 0 ? 0xffff_fff0 : payload.length, 1);
      return Buffer.concat([head, payload]);
    });
  await fc.assert(
    fc.asyncProperty(fc.array(framed, { maxLength: 5 }), async (parts) => {
      await callRaw(Buffer.concat(parts));
    }),
    { numRuns: 150, seed: SEED },
  );
  await control.settled();
});

test("M5: odd call metadata is refused or ignored, never fatal", async () => {
  for (const headers of [
    { "claw-agent-id": "x".repeat(8_000) },
    { "claw-receive": "x".repeat(8_000) },
    { "grpc-encoding": "nonsense" },
    { "grpc-timeout": "99999999999999H" },
    { "content-type": "application/json" },
  ]) {
    await callRaw(Buffer.from([0, 0, 0, 0, 0]), headers);
  }
  await control.settled();
});

test("M7: a request over the transport's 4 MiB ends its session, and no other", async () => {
  const agent = openAgent(hub.address, "alice");
  await agent.next("sessionStarted");
  agent.sendBytes(Buffer.alloc(4 * 1024 * 1024 + 1));
  expect((await agent.ended).code).toBe(8);
  await control.settled();
});

test("M7: keys that mean something to JavaScript are kept like any others", async () => {
  const metadata = new Map([
    ["__proto__", "kept"],
    ["constructor", "kept too"],
  ]);
  await control.store({
    $case: "chatMessage",
    value: { targetAgent: "__proto__x".slice(2), content: "x", metadata },
  });
  const receiver = openAgent(hub.address, "proto__x", "manual");
  expect((await receiver.next("chatMessage")).metadata).toEqual(metadata);
});

test("M7: what is too large is not decoded: millions of empty acks cost next to nothing", async () => {
  const agent = openAgent(hub.address, "alice");
  await agent.next("sessionStarted");
  const acks = Buffer.alloc(3 * 1024 * 1024);
  for (let at = 0; at < acks.length; at += 2) acks[at] = 0x12;
  const small = acks.subarray(0, 500_000);
  // The hub shares this process: its longest pause is the longest gap between two ticks.
  let longestMs = 0;
  let lastMs = performance.now();
  const ticking = setInterval(() => {
    longestMs = Math.max(longestMs, performance.now() - lastMs);
    lastMs = performance.now();
  }, 1);
  for (let count = 0; count < 5; count += 1) {
    agent.sendBytes(Buffer.concat([Buffer.from([0x0a, 1, 0x61]), acks]));
    agent.sendBytes(Buffer.concat([Buffer.from([0x0a, 1, 0x62]), small]));
    await agent.settled();
  }
  clearInterval(ticking);
  const reasons = agent.responses.flatMap(({ requestId, frame }) =>
    frame?.$case === "error" ? [`${requestId} ${frame.value.reason}`] : [],
  );
  expect(new Set(reasons)).toEqual(new Set(["a MESSAGE_TOO_LARGE", "b BAD_VALUE"]));
  // Decoded, each of them took the better part of a second.
  expect(longestMs).toBeLessThan(5_000);
});
