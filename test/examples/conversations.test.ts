import { join } from "node:path";
import { afterAll, expect } from "vitest";
import { LANGUAGES, type Language } from "../../scripts/examples/languages.ts";
import type { ChatClient } from "../../src/client/index.js";
import { connectAgent, disconnectAgents, newAgent, signal, take } from "../client/agents.js";
import { endCli, startServe, testFolder } from "../support/cli.js";
import { startTestHub } from "../support/hub.js";
import { exampleTest, startSide } from "./example.js";

// Each side of each language, with the TypeScript client on the other side.

afterAll(async () => {
  await disconnectAgents();
  await endCli();
});

const PROVIDER = "weather-provider";
const CONSUMER = "weather-consumer";
const SERVICE = "weather-svc";
const CITIES = ["Beijing", "Harbin"];
/** Behind the request, its answer, and a question and an answer for each city. */
const END_SEQ = 7;

function sunny(city: string): string {
  return `${city}: sunny, 25 °C`;
}

/** Every message of a channel, and that each answer names its question. */
async function expectWholeHistory(client: ChatClient, channelId: string): Promise<void> {
  const { channel, messages } = await client.getHistory({ channelId });
  expect(messages.map(({ senderId, content }) => [senderId, content])).toEqual(
    CITIES.flatMap((city) => [
      [CONSUMER, city],
      [PROVIDER, sunny(city)],
    ]),
  );
  // The request and its answer are 1 and 2; nothing is missing and nothing came twice.
  expect(messages.map(({ seq }) => seq)).toEqual([3, 4, 5, 6]);
  expect(messages[1]?.replyTo).toBe(messages[0]?.messageId);
  expect(messages[3]?.replyTo).toBe(messages[2]?.messageId);
  expect(channel).toMatchObject({ state: "ended", endCode: "completed", lastSeq: END_SEQ });
}

async function providerThroughAKilledHub(language: Language): Promise<void> {
  const db = join(testFolder(), "hub.db");
  const args = ["--db", db, "--log-level", "error"];
  let hub = await startServe(args);
  const { address } = hub;
  const provider = startSide(language, "provider", address);
  await provider.said("stdout", /^ready\n/);

  const allHandled = signal();
  const consumer = newAgent(`grpc://${address}`, CONSUMER, {
    timeoutMs: 30_000,
    onProgress: ({ ackedSeq }) => {
      if (ackedSeq === END_SEQ) allHandled.give();
    },
  });
  const messages = consumer.messages();
  // A provider that ends before it is told to would otherwise be waited for in vain.
  const endedEarly = provider.result.then(({ code, stderr }): never => {
    throw new Error(`the provider ended with ${code}: ${stderr}`);
  });
  endedEarly.catch(() => {});
  const heard = async () => (await Promise.race([take(messages), endedEarly])).content;
  await consumer.connect();
  const answer = await consumer.requestChat({ serviceId: SERVICE, content: "The weather, please" });
  expect(answer).toMatchObject({ status: "accepted", content: "Which city?" });
  const { channelId } = answer;
  await consumer.sendMessage({ channelId, content: "Beijing" });
  expect(await heard()).toBe(sunny("Beijing"));

  // The second question is stored. How far the provider has got with it is open.
  await consumer.sendMessage({ channelId, content: "Harbin" });
  hub.child.kill("SIGKILL");
  await hub.result;
  hub = await startServe(["--listen", address, ...args]);
  expect(await heard()).toBe(sunny("Harbin"));
  await consumer.endChat({ channelId, code: "completed" });
  await allHandled.promise;
  await expectWholeHistory(consumer, channelId);

  provider.child.kill("SIGTERM");
  const { code, stdout } = await provider.result;
  expect(stdout).toBe(
    [
      "ready",
      `${CONSUMER} asks: The weather, please`,
      ...CITIES.map((city) => `${CONSUMER} says: ${city}`),
      "",
    ].join("\n"),
  );
  expect(code).toBe(0);
}

async function consumerThroughARestartedHub(language: Language): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const hub = await startTestHub();
  stack.defer(() => hub.stop());
  const channel = signal<string>();
  const provider = newAgent(hub.url, PROVIDER, { timeoutMs: 30_000 });
  provider.listen({
    async request(request) {
      expect(request).toMatchObject({ consumerId: CONSUMER, content: "The weather, please" });
      channel.give(request.channelId);
      await request.accept({ content: "Which city?" });
    },
    async message(message) {
      // The first answer was heard, the second was not given yet.
      if (message.content === "Harbin") await hub.restart();
      await message.reply(sunny(message.content));
    },
  });
  await provider.connect();
  await provider.registerService({ serviceId: SERVICE });

  const consumer = startSide(language, "consumer", hub.address, CITIES);
  const { code, stdout } = await consumer.result;
  expect(stdout).toBe(
    [
      "accepted",
      ...CITIES.map((city) => `${PROVIDER} says: ${sunny(city)}`),
      "4 messages are kept",
      "",
    ].join("\n"),
  );
  expect(code).toBe(0);
  await expectWholeHistory(provider, await channel.promise);
  await provider.disconnect();
}

async function consumerThatIsRejected(language: Language): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const hub = await startTestHub();
  stack.defer(() => hub.stop());
  const provider = await connectAgent(hub.url, PROVIDER);
  provider.listen({
    request: async (request) => void (await request.reject({ reason: "Closed" })),
  });
  await provider.registerService({ serviceId: SERVICE });
  const { code, stdout } = await startSide(language, "consumer", hub.address).result;
  expect(stdout).toBe("rejected: Closed\n");
  expect(code).toBe(1);
  await provider.disconnect();
}

async function providerWithoutAHub(language: Language): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const hub = await startTestHub();
  stack.defer(() => hub.stop());
  const provider = startSide(language, "provider", hub.address);
  await provider.said("stdout", /^ready\n/);
  await hub.halt();
  provider.child.kill("SIGINT");
  const { code, stdout } = await provider.result;
  expect(stdout).toBe("ready\n");
  expect(code).toBe(0);
}

for (const language of LANGUAGES) {
  exampleTest(language, "a provider answers through a hub that is killed; SIGTERM ends it", () =>
    providerThroughAKilledHub(language),
  );
  exampleTest(language, "a consumer gets its answers through a hub that is restarted", () =>
    consumerThroughARestartedHub(language),
  );
  exampleTest(language, "a consumer that is rejected says why and ends with 1", () =>
    consumerThatIsRejected(language),
  );
  exampleTest(language, "a provider without its hub ends on SIGINT", () =>
    providerWithoutAHub(language),
  );
}
