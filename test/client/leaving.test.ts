import { afterEach, beforeEach, expect, test } from "vitest";
import { startTestHub, type TestHub } from "../support/hub.js";
import { startTestProxy } from "../support/proxy.js";
import { collect, connectAgent, disconnectAgents, newAgent, signal, take } from "./agents.js";

let hub: TestHub;

beforeEach(async () => {
  hub = await startTestHub();
});
afterEach(async () => {
  await disconnectAgents();
  await hub.stop();
});

test("disconnect() right after connect() ends it, and no session stays behind", async () => {
  const running = newAgent(hub.url, "b");
  const messages = running.messages();
  await running.connect();
  const client = newAgent(hub.url, "b");
  const connected = client.connect().then(
    () => "connected",
    (error) => error.reason,
  );
  await client.disconnect();
  expect(await connected).toBe("CLOSED");
  const events = client.connection();
  expect((await take(events)).state).toBe("closed");
  await expect(client.getHistory({ channelId: "x" })).rejects.toMatchObject({ reason: "CLOSED" });
  // A session left behind would have superseded the agent's other one.
  await (await connectAgent(hub.url, "a")).sendMessage({ targetAgent: "b", content: "x" });
  expect((await take(messages)).content).toBe("x");
});

test("disconnect() ends a call beside the session, which opens nothing afterwards", async () => {
  const proxy = await startTestProxy(hub.address);
  const client = newAgent(proxy.url, "p");
  const events = client.connection();
  await client.connect();
  await hub.halt();
  while ((await take(events)).state !== "disconnected");
  const closed = { code: 9, reason: "CLOSED" };
  const registered = expect(client.registerService({ serviceId: "s" })).rejects.toMatchObject(
    closed,
  );
  await client.disconnect();
  await registered;
  await hub.resume();
  const accepted = proxy.accepted;
  await expect(client.registerService({ serviceId: "s" })).rejects.toMatchObject(closed);
  await expect(client.listServices().next()).rejects.toMatchObject(closed);
  expect(proxy.accepted).toBe(accepted);
  await client.connect();
  await client.registerService({ serviceId: "s" });
  await client.disconnect();
  await proxy.stop();
});

test("a call beside the session needs no connect()", async () => {
  const client = newAgent(hub.url, "p");
  const { serviceId } = await client.registerService({ serviceId: "s" });
  expect(serviceId).toBe("s");
});

test("D2: a handler that calls disconnect() at once may finish, and its entry is acked", async () => {
  const client = newAgent(hub.url, "b");
  const gone = signal();
  client.listenForMessages(async (message) => {
    void client.disconnect().then(gone.give);
    await new Promise(setImmediate);
    await message.reply("bye");
  });
  await client.connect();
  const sender = await connectAgent(hub.url, "a");
  const { channelId, seq } = await sender.sendMessage({ targetAgent: "b", content: "stop" });
  await gone.promise;
  const { channel, messages } = await sender.getHistory({ channelId });
  expect(messages.map(({ content }) => content)).toEqual(["stop", "bye"]);
  // Its own reply counts as handled too.
  expect(channel.positions.find(({ agentId }) => agentId === "b")?.ackedSeq).toBe(seq + 1);
});

test("two next() of a loop at once get one entry each", async () => {
  const client = await connectAgent(hub.url, "b");
  const messages = client.messages();
  const asked = [messages.next(), messages.next()];
  const sender = await connectAgent(hub.url, "a");
  for (const content of ["1", "2"]) await sender.sendMessage({ targetAgent: "b", content });
  const contents = (await Promise.all(asked)).map(({ value }) => value?.content);
  expect(contents).toEqual(["1", "2"]);
});

test("a connect() that gives up does not end another one that has more time", async () => {
  await hub.halt();
  const client = newAgent(hub.url, "a");
  const states = collect<string>();
  void (async () => {
    for await (const { state } of client.connection()) states.add(state);
  })();
  const short = client.connect({ timeoutMs: 100 });
  const long = client.connect({ timeoutMs: 10_000 });
  await expect(short).rejects.toMatchObject({ reason: "TIMEOUT" });
  await hub.resume();
  await long;
  expect(states.items).not.toContain("closed");
});
