import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { answeredChannel } from "../../src/cli/answered-channel.js";
import { ChatClient } from "../../src/client/chat-client.js";
import { endCli, type ServedHub, startCli, startServe, testFolder } from "../support/cli.js";
import { runHere } from "../support/cli-here.js";

afterAll(endCli);

/** Several processes are started, one after another. */
const SLOW = { timeout: 60_000 };

/** A hub that can go away, and come back where it was with what it had. */
async function startLeavingHub() {
  const db = join(testFolder(), "hub.db");
  const first = await startServe(["--db", db]);
  let running: ServedHub = first;
  const at = (agent: string) => ["--hub", first.address, "--agent", agent];
  return {
    address: first.address,
    at,
    as: (agent: string, ...words: string[]) => runHere([...words, ...at(agent)]),
    async leave() {
      running.child.kill("SIGTERM");
      expect((await running.result).code).toBe(0);
    },
    async comeBack() {
      running = await startServe(["--db", db, "--listen", first.address]);
    },
  };
}

test(
  "D1: --no-ack prints and counts an entry once, though a new session repeats it",
  SLOW,
  async () => {
    const hub = await startLeavingHub();
    await hub.as("a", "send", "--to", "b", "one");
    await hub.as("a", "send", "--to", "b", "two");
    const listener = startCli(["listen", "--no-ack", "--count", "3", ...hub.at("b")]);
    await listener.said("stdout", /a says: two/);
    await hub.leave();
    await hub.comeBack();
    await listener.said("stderr", /listening as b[\s\S]*listening as b/);
    await hub.as("a", "send", "--to", "b", "three");
    const { code, stdout } = await listener.result;
    expect(code).toBe(0);
    expect(stdout.match(/says: .*/g)).toEqual(["says: one", "says: two", "says: three"]);
  },
);

test("D1: `listen` goes on when nobody reads its remarks any more", async () => {
  const hub = await startLeavingHub();
  const listener = startCli(["listen", "--count", "1", ...hub.at("b")]);
  await listener.said("stderr", /listening as b/);
  listener.child.stderr?.destroy();
  await hub.leave();
  await hub.comeBack();
  await hub.as("a", "send", "--to", "b", "still there?");
  const { code, stdout } = await listener.result;
  expect(code).toBe(0);
  expect(stdout).toContain("a says: still there?");
});

test("C3: `request` outlasts a hub that is away for longer than --timeout", SLOW, async () => {
  const hub = await startLeavingHub();
  const asking = ["request", "--provider", "b", "--timeout", "0.5"];
  const waiting = startCli([...asking, ...hub.at("a")]);
  await hub.as("b", "listen", "--count", "1");
  await hub.leave();
  await waiting.said("stderr", /no word from the hub about \S+; looking again\n/);
  await hub.comeBack();
  expect((await hub.as("b", "accept", "--consumer", "a")).code).toBe(0);
  expect(await waiting.result).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^accepted by b/),
  });
});

test("`request` names its channel in a failure that comes after the receipt", SLOW, async () => {
  const hub = await startLeavingHub();
  const waiting = startCli(["request", "--provider", "b", "--timeout", "0.5", ...hub.at("a")]);
  const [request] = (await hub.as("b", "listen", "--count", "1", "--json")).json();
  await hub.leave();
  await waiting.said("stderr", /looking again\n/);
  await startServe(["--db", ":memory:", "--listen", hub.address]);
  const { code, stderr } = await waiting.result;
  expect(code).toBe(1);
  expect(stderr).toMatch(
    new RegExp(`^claw-chat: .*${request?.channel_id}.*\\(CHANNEL_NOT_FOUND\\)$`, "m"),
  );
});

test("C4: no word from the hub until the request's time is over: exit code 3, and the channel", async () => {
  const hub = await startLeavingHub();
  await using client = new ChatClient({ hubUrl: hub.address, agentId: "a", receive: "none" });
  await client.connect();
  const { channelId } = await client.sendRequest({ providerId: "b" });
  await hub.leave();
  const { signal } = new AbortController();
  const bounds = { withinMs: 400, lookMs: 100, signal, quiet: true };
  await expect(answeredChannel(client, channelId, bounds)).rejects.toMatchObject({
    exitCode: 3,
    message: expect.stringContaining(channelId),
  });
});
