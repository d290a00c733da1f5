import { setImmediate } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { ChannelCredentials, Client, type StatusObject } from "@grpc/grpc-js";
import { afterEach, beforeEach, expect, test } from "vitest";
import { startHub } from "../../src/server/hub.js";
import { createOutbox } from "../../src/server/outbox.js";
import { openSqliteStore } from "../../src/store/sqlite/open.js";
import { startTestHub, type TestHub } from "../support/hub.js";
import { closeAgents, openAgent } from "../support/raw-agent.js";
import { activeChat, say } from "./chat.js";

const MIB = 1024 * 1024;
let hub: TestHub;
beforeEach(async () => {
  hub = await startTestHub();
});
afterEach(async () => {
  await closeAgents();
  await hub.stop();
});

test("D4: an outbox counts what the transport has not taken, and has room again when it has", () => {
  const takes: ((error?: Error | null) => void)[] = [];
  let drained = 0;
  const outbox = createOutbox({ write: (_bytes, taken) => takes.push(taken) > 0 }, () => {
    drained += 1;
  });
  let taken = 0;
  const take = () => {
    taken += 1;
  };
  for (let count = 0; count < 256; count += 1) outbox.push(new Uint8Array(10), take);
  // An auto session's position moves by this: not when it is queued (D2).
  expect(taken).toBe(0);
  expect(outbox.room()).toEqual({ items: 0, bytes: 0 });
  takes.shift()?.();
  expect(outbox.room().items).toBe(1);
  expect(taken).toBe(1);
  // Half of it at once, and not a little at a time.
  for (let count = 1; count < 127; count += 1) takes.shift()?.();
  expect(drained).toBe(0);
  takes.shift()?.();
  expect(drained).toBe(1);
  outbox.push(new Uint8Array(2 * MIB));
  expect(outbox.room()).toEqual({ items: 0, bytes: 0 });
  // A write that failed was not taken, and makes no room worth using.
  takes.shift()?.(new Error("broken"));
  expect(drained).toBe(1);
  expect(taken).toBe(128);
});

test("D4: one response larger than an outbox may be in it, alone, and is not overtaken for ever", () => {
  const takes: (() => void)[] = [];
  let drained = 0;
  const outbox = createOutbox({ write: (_bytes, taken) => takes.push(taken) > 0 }, () => {
    drained += 1;
  });
  expect(outbox.fits(2 * MIB)).toBe(true);
  outbox.push(new Uint8Array(10));
  expect(outbox.fits(2 * MIB)).toBe(false);
  expect(outbox.fits(10)).toBe(false);
  expect(outbox.room()).toEqual({ items: 0, bytes: 0 });
  takes.shift()?.();
  expect(drained).toBe(1);
  expect(outbox.fits(2 * MIB)).toBe(true);
  outbox.push(new Uint8Array(2 * MIB));
  expect(outbox.fits(1)).toBe(false);
});

test("D4: a response that the transport has copied is not kept until it is sent", async () => {
  const takes: (() => void)[] = [];
  const outbox = createOutbox({ write: (_bytes, taken) => takes.push(taken) > 0 }, () => {});
  const responses = Array.from({ length: 4 }, () => {
    const response = new Uint8Array(MIB / 8);
    outbox.push(response);
    return new WeakRef(response);
  });
  // A reference that is weak is not until the next turn.
  await setImmediate();
  setFlagsFromString("--expose-gc");
  runInNewContext("gc()");
  expect(takes).toHaveLength(4);
  expect(responses.filter((response) => response.deref() !== undefined)).toHaveLength(0);
});

test("I4: a superseded session that reads nothing is over all the same", async () => {
  const stalled = openAgent(hub.address, "weather", "manual");
  const consumer = openAgent(hub.address, "alice");
  const channelId = await activeChat(consumer, stalled);
  stalled.pause();
  for (let count = 0; count < 8; count += 1) await say(consumer, channelId, "x".repeat(500_000));
  const newer = openAgent(hub.address, "weather", "manual");
  for (let count = 0; count < 8; count += 1) await newer.next("chatMessage");
  stalled.resume();
  expect((await stalled.ended).code).toBe(10);
});

test("I4: a session that half-closed but has not read its last answers is superseded too", async () => {
  const leaving = openAgent(hub.address, "weather", "manual");
  const consumer = openAgent(hub.address, "alice");
  const channelId = await activeChat(consumer, leaving);
  leaving.pause();
  for (let count = 0; count < 8; count += 1) await say(consumer, channelId, "x".repeat(500_000));
  leaving.halfClose();
  const newer = openAgent(hub.address, "weather", "manual");
  for (let count = 0; count < 8; count += 1) await newer.next("chatMessage");
  leaving.resume();
  // With OK its client would come back and take the session away from the newer one.
  expect((await leaving.ended).code).toBe(10);
});

test("M5: reflection and health take small questions only, and forget unknown names", async () => {
  const client = new Client(hub.address, ChannelCredentials.createInsecure());
  const ask = (path: string, bytes: number) => {
    const stream = client.makeBidiStreamRequest(
      path,
      (request: Buffer) => request,
      (response) => response,
    );
    stream.on("error", () => {});
    stream.resume();
    const over = new Promise<StatusObject>((resolve) => stream.on("status", resolve));
    // Field 3 of a reflection request, field 1 of a health one: a long name either way.
    const name = Buffer.alloc(bytes, "x");
    const tag = path.includes("reflection") ? 0x1a : 0x0a;
    const length = [(bytes & 0x7f) | 0x80, ((bytes >> 7) & 0x7f) | 0x80, bytes >> 14];
    stream.end(Buffer.concat([Buffer.from([tag, ...length]), name]));
    return over;
  };
  for (const path of [
    "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
    "/grpc.health.v1.Health/Check",
  ]) {
    const status = await ask(path, 20_000);
    expect(status, path).toMatchObject({ code: 8 });
  }
  const unknown = await ask("/grpc.health.v1.Health/Check", 300);
  expect(unknown).toMatchObject({ code: 5 });
  client.close();
});

test("C4: a hub that cannot listen leaves no timer behind", async () => {
  const store = await openSqliteStore({ path: ":memory:" });
  const first = await startHub({ store, listen: "127.0.0.1:0" });
  const agent = openAgent(first.address, "alice");
  await agent.store({ $case: "chatRequest", value: { providerId: "weather" } });
  await agent.cut();
  await first.stop();
  const timersBefore = process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
  await expect(startHub({ store, listen: hub.address })).rejects.toThrow(/cannot listen/);
  const timers = process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
  expect(timers).toBeLessThanOrEqual(timersBefore);
  await store.close();
});
