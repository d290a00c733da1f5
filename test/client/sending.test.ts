import { status } from "@grpc/grpc-js";
import { afterEach, beforeEach, expect, test } from "vitest";
import { checkSendable } from "../../src/client/sendable.js";
import { ChatHistory } from "../../src/protocol/wire.js";
import { startTestHub, type TestHub } from "../support/hub.js";
import { startTestProxy } from "../support/proxy.js";
import { collect, connectAgent, disconnectAgents, newAgent, take } from "./agents.js";
import { startScriptedHub } from "./scripted-hub.js";

let hub: TestHub;

beforeEach(async () => {
  hub = await startTestHub();
});
afterEach(async () => {
  await disconnectAgents();
  await hub.stop();
});

test("M5: a call that no hub could take is refused here, and the others go on undisturbed", async () => {
  const frames = collect<string>();
  const client = newAgent(hub.url, "a", {
    onFrame({ request, response }) {
      const $case = (request ?? response)?.frame?.$case;
      if ($case !== undefined) frames.add($case);
    },
  });
  await client.connect();
  const tooLarge = client.sendMessage({ targetAgent: "b", content: "x".repeat(5 * 2 ** 20) });
  const innocent = client.sendMessage({ targetAgent: "b", content: "hi" });
  await expect(tooLarge).rejects.toMatchObject({ code: 3, reason: "MESSAGE_TOO_LARGE" });
  await innocent;
  expect(frames.items).toEqual(["sessionStarted", "chatMessage"]);
  expect(hub.entryCount()).toBe(1);
});

test("a frame that cannot be encoded is refused before it is sent", () => {
  const value = ChatHistory.fromPartial({ channelId: "x", limit: -1 });
  const frame = { $case: "chatHistory" as const, value };
  expect(() =>
    checkSendable({ requestId: "1", acks: [], heartbeat: false, setAside: [], frame }),
  ).toThrow(expect.objectContaining({ code: 3, reason: "BAD_OPTION" }));
});

test("C4: numbers the wire cannot say are refused, with the range that it can", async () => {
  const client = await connectAgent(hub.url, "a");
  const badOption = (field: string) => ({
    code: 3,
    reason: "BAD_OPTION",
    message: expect.stringContaining(field),
  });
  const week = 7 * 24 * 60 * 60 * 1000;
  await expect(client.getHistory({ channelId: "x", limit: 2 ** 32 })).rejects.toMatchObject(
    badOption("limit must be a whole number from 0 to 4294967295"),
  );
  await expect(client.getHistory({ channelId: "x", afterSeq: 2 ** 53 })).rejects.toMatchObject(
    badOption("afterSeq"),
  );
  await expect(
    client.registerService({ serviceId: "s", maxActiveChats: 2 ** 32 }),
  ).rejects.toMatchObject(badOption("maxActiveChats"));
  for (const answerWithinMs of [week + 1, -1, Number.NaN]) {
    await expect(client.sendRequest({ providerId: "b", answerWithinMs })).rejects.toMatchObject(
      badOption("answerWithinMs"),
    );
  }
  await expect(
    client.rejectChat({ consumerId: "c", retryAfterMs: week + 1 }),
  ).rejects.toMatchObject(badOption("retryAfterMs"));
  await client.sendRequest({ providerId: "b", answerWithinMs: week });
});

test("C3: an answer by consumerId is not sent again: it could mean another request", async () => {
  const proxy = await startTestProxy(hub.address);
  const provider = newAgent(proxy.url, "p");
  await provider.connect();
  const consumer = newAgent(hub.url, "c");
  const accepted = collect<string>();
  consumer.listen({ accept: ({ channelId }) => accepted.add(channelId) });
  await consumer.connect();
  const first = await consumer.sendRequest({ providerId: "p" });
  proxy.muteHub();
  const answer = provider.acceptChat({ consumerId: "c" });
  await accepted.reached(1);
  // The receipt is lost, and the provider's program never saw the next request.
  const second = await consumer.sendRequest({ providerId: "p" });
  proxy.cut();
  await expect(answer).rejects.toMatchObject({
    code: 14,
    reason: "UNKNOWN_OUTCOME",
    retryable: false,
  });
  expect((await consumer.getHistory(first)).channel.state).toBe("active");
  expect((await consumer.getHistory(second)).channel.state).toBe("requested");
  // By its channel it is recognised as the same.
  expect(await provider.acceptChat(first)).toMatchObject({ seq: 2, duplicate: true });
  await provider.disconnect();
  await proxy.stop();
});

test("a hub that greets and then fails is asked again after growing pauses", async () => {
  const faulty = await startScriptedHub({ greeted: (session) => session.fail(status.INTERNAL) });
  const client = newAgent(faulty.url, "a");
  const events = client.connection();
  await client.connect();
  // The first pause is at most 100 ms: a longer one shows that the pauses have grown.
  for (let longestMs = 0; longestMs <= 100; ) {
    const event = await take(events);
    if (event.state === "disconnected") longestMs = event.retryInMs;
  }
  await client.disconnect();
  faulty.stop();
});
