import { spawn } from "node:child_process";
import { once } from "node:events";
import Database from "better-sqlite3";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ChatClient, quickSend } from "../../src/client/index.js";
import { LOCALHOST, makeAuthority } from "../support/certificate.js";
import { startTestHub, type TestHub } from "../support/hub.js";
import { startTestProxy } from "../support/proxy.js";
import { SKIP_OPENSSL } from "../support/tools.js";
import { collect, connectAgent, disconnectAgents, newAgent, signal, take } from "./agents.js";

let hub: TestHub;

beforeEach(async () => {
  hub = await startTestHub();
});
afterEach(async () => {
  await disconnectAgents();
  await hub.stop();
});

test("an AbortSignal gives a call up, before, while and after it was sent", async () => {
  const client = await connectAgent(hub.url, "a");
  const reason = new Error("changed my mind");
  const aborted = { code: 1, reason: "ABORTED_BY_CALLER", cause: reason };
  const message = { targetAgent: "b", content: "x" };
  await expect(
    client.sendMessage(message, { signal: AbortSignal.abort(reason) }),
  ).rejects.toMatchObject(aborted);
  expect(hub.entryCount()).toBe(0);

  const waiting = new AbortController();
  const asked = client.requestChat({ providerId: "b" }, { signal: waiting.signal });
  const rejected = expect(asked).rejects.toMatchObject(aborted);
  // A later frame of the session has its receipt, so the request is stored and waits.
  await client.sendMessage(message);
  waiting.abort(reason);
  await rejected;

  const late = new AbortController();
  const receipt = await client.sendMessage(message, { signal: late.signal });
  late.abort(reason);
  expect(receipt.duplicate).toBe(false);

  await hub.halt();
  const unary = new AbortController();
  const registered = client.registerService({ serviceId: "s" }, { signal: unary.signal });
  unary.abort(reason);
  await expect(registered).rejects.toMatchObject(aborted);
  await hub.resume();
});

test("timeoutMs ends a call that has no answer; a frame that never left is not sent later", async () => {
  const proxy = await startTestProxy(hub.address);
  const client = newAgent(proxy.url, "a", { timeoutMs: 200 });
  const events = client.connection();
  await client.connect({ timeoutMs: 5_000 });
  await hub.halt();
  while ((await take(events)).state !== "disconnected");
  const timedOut = { code: 4, reason: "TIMEOUT", retryable: true };
  await expect(client.sendMessage({ targetAgent: "b", content: "x" })).rejects.toMatchObject(
    timedOut,
  );
  await expect(client.registerService({ serviceId: "s" })).rejects.toMatchObject(timedOut);
  await hub.resume();
  while ((await take(events)).state !== "connected");
  await client.sendMessage({ targetAgent: "b", content: "y" }, { timeoutMs: 5_000 });
  expect(hub.entryCount()).toBe(1);
  await client.disconnect();
  await proxy.stop();
});

test("M4: a frame the hub could not take just now is sent again, and later ones wait for it", async () => {
  const client = await connectAgent(hub.url, "a");
  const { channelId } = await client.sendMessage({ targetAgent: "b", content: "0" });
  const refusals = collect<string>();
  const tracing = newAgent(hub.url, "c", {
    onFrame({ response }) {
      if (response?.frame?.$case === "error") refusals.add(response.frame.value.reason);
    },
  });
  await tracing.connect();
  const lock = new Database(hub.dbPath);
  lock.exec("BEGIN IMMEDIATE");
  const first = tracing.sendMessage({ targetAgent: "a", content: "1" });
  await refusals.reached(1);
  const second = tracing.sendMessage({ targetAgent: "a", content: "2" });
  lock.exec("ROLLBACK");
  lock.close();
  const receipts = await Promise.all([first, second]);
  expect(receipts.map(({ seq }) => seq)).toEqual([1, 2]);
  expect(refusals.items).toEqual(["STORAGE_UNAVAILABLE"]);
  expect(receipts[0]?.channelId).not.toBe(channelId);
});

test("D2: acks the hub could not take just now are given again", async () => {
  const refusals = collect<string>();
  const acks = collect<bigint>();
  const client = newAgent(hub.url, "b", {
    onFrame({ request, response }) {
      for (const ack of request?.acks ?? []) acks.add(ack.seq);
      if (response?.frame?.$case === "error") refusals.add(response.frame.value.reason);
    },
  });
  const messages = client.messages();
  await client.connect();
  const sender = await connectAgent(hub.url, "a");
  const { channelId } = await sender.sendMessage({ targetAgent: "b", content: "1" });
  const message = await take(messages);
  const lock = new Database(hub.dbPath);
  lock.exec("BEGIN IMMEDIATE");
  message.ack();
  await refusals.reached(1);
  lock.exec("ROLLBACK");
  lock.close();
  expect(await acks.reached(2)).toEqual([1n, 1n]);
  // The same session asks, so the hub has done what was sent before.
  const { channel } = await client.getHistory({ channelId });
  expect(channel.positions.find(({ agentId }) => agentId === "b")?.ackedSeq).toBe(1);
});

test("C2: a refusal the caller is to judge is not sent again", async () => {
  await hub.stop();
  hub = await startTestHub({ maxPendingRequests: 1 });
  const client = await connectAgent(hub.url, "a");
  await client.sendRequest({ providerId: "b" });
  await expect(client.sendRequest({ providerId: "b" })).rejects.toMatchObject({
    code: 8,
    reason: "TOO_MANY_PENDING",
    retryable: true,
    retryAfterMs: 5_000,
  });
});

test("I4: quickSend does not disturb the agent's running session", async () => {
  const running = newAgent(hub.url, "a");
  const messages = running.messages();
  const events = running.connection();
  await running.connect();
  while ((await take(events)).state !== "connected");
  const receipt = await quickSend({
    hubUrl: hub.url,
    agentId: "a",
    targetAgent: "b",
    content: "hello",
  });
  expect(receipt).toMatchObject({ seq: 1, duplicate: false });
  await quickSend({ hubUrl: hub.url, agentId: "b", targetAgent: "a", content: "back" });
  expect((await take(messages)).content).toBe("back");
  await running.disconnect();
  expect((await take(events)).state).toBe("closed");
});

test("I4: a client that only sends says so where it would have to receive", async () => {
  const client = await connectAgent(hub.url, "a", { receive: "none" });
  const wrongMode = { code: 9, reason: "WRONG_MODE" };
  expect(() => client.messages()).toThrow(expect.objectContaining(wrongMode));
  expect(() => client.listenForMessages(() => {})).toThrow(expect.objectContaining(wrongMode));
  await expect(client.requestChat({ providerId: "b" })).rejects.toMatchObject(wrongMode);
  await client.sendRequest({ providerId: "b" });
});

test.skipIf(SKIP_OPENSSL)(
  "with openssl: grpcs:// with a private certificate authority",
  async () => {
    const authority = makeAuthority();
    const { rootCerts } = authority;
    const secured = await startTestHub({ tls: authority.issue("server", LOCALHOST) });
    const port = secured.address.slice(secured.address.lastIndexOf(":"));
    const client = await connectAgent(`grpcs://localhost${port}`, "a", { rootCerts });
    await client.registerService({ serviceId: "s" });
    await client.sendMessage({ targetAgent: "b", content: "x" });
    const stranger = newAgent(`grpcs://localhost${port}`, "c");
    await expect(stranger.connect({ timeoutMs: 500 })).rejects.toMatchObject({
      reason: "TIMEOUT",
      message: expect.stringContaining("UNAVAILABLE"),
    });
    await client.disconnect();
    await secured.stop();
    authority.remove();
  },
);

test("disconnect() waits for the running handler and its ack, and for answers on their way", async () => {
  const client = newAgent(hub.url, "b");
  const begun = signal();
  const go = signal();
  client.listenForMessages(async (message) => {
    begun.give();
    await go.promise;
    await message.reply("done");
  });
  await client.connect();
  const sender = await connectAgent(hub.url, "a");
  const { channelId, seq } = await sender.sendMessage({ targetAgent: "b", content: "1" });
  await begun.promise;
  const gone = client.disconnect();
  go.give();
  await gone;
  const { channel, messages } = await sender.getHistory({ channelId });
  expect(messages.map(({ content }) => content)).toEqual(["1", "done"]);
  expect(channel.positions.find(({ agentId }) => agentId === "b")).toMatchObject({
    ackedSeq: seq + 1,
    online: false,
  });
  await expect(client.getHistory({ channelId })).rejects.toMatchObject({ reason: "CLOSED" });
  await client.disconnect();
});

test("a loop ends when its client disconnects; await using disconnects", async () => {
  const contents: string[] = [];
  let channelId = "";
  {
    await using client = new ChatClient({ hubUrl: hub.url, agentId: "b" });
    await client.connect();
    const received = signal();
    const loop = (async () => {
      for await (const message of client.messages()) {
        contents.push(message.content);
        received.give();
      }
    })();
    const sent = await quickSend({
      hubUrl: hub.url,
      agentId: "a",
      targetAgent: "b",
      content: "1",
    });
    channelId = sent.channelId;
    await received.promise;
    await client.disconnect();
    await loop;
    await client.connect();
  }
  expect(contents).toEqual(["1"]);
  const watcher = await connectAgent(hub.url, "a");
  const { channel } = await watcher.getHistory({ channelId });
  expect(channel.positions.find(({ agentId }) => agentId === "b")?.online).toBe(false);
});

test("a process ends by itself after disconnect(), and while connected it goes on", async () => {
  const entry = new URL("../../dist/src/client/index.js", import.meta.url);
  const script = `
    const { ChatClient } = await import(${JSON.stringify(entry.href)});
    const client = new ChatClient({ hubUrl: process.argv[1], agentId: "b" });
    client.listenForMessages(async (message) => {
      await message.reply("bye");
      client.disconnect();
    });
    await client.connect();
  `;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script, hub.url], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const exited = once(child, "exit");
  let errors = "";
  child.stderr.on("data", (text) => {
    errors += text;
  });
  const client = newAgent(hub.url, "a");
  const messages = client.messages();
  await client.connect();
  // Whether or not the process has connected yet: the message waits for it.
  await client.sendMessage({ targetAgent: "b", content: "leave" });
  expect((await take(messages)).content).toBe("bye");
  expect([...(await exited), errors]).toEqual([0, null, ""]);
});
