import { afterAll, beforeAll, expect, test } from "vitest";
import { endCli } from "../support/cli.js";
import { runHere } from "../support/cli-here.js";
import { startTestHub, type TestHub } from "../support/hub.js";
import { closeAgents, openAgent } from "../support/raw-agent.js";

let hub: TestHub;
beforeAll(async () => {
  hub = await startTestHub();
});
afterAll(async () => {
  await closeAgents();
  await endCli();
  await hub.stop();
});

test("M7: history --all begins with the first message, also where one page does not hold them", async () => {
  const alice = openAgent(hub.address, "alice");
  // Of 900 KB each, so that a page of 2 MiB holds two.
  const contents = ["1", "2", "3", "4", "5"].map((mark) => mark.repeat(900_000));
  let channelId = "";
  for (const content of contents) {
    const value = { targetAgent: "bob", content };
    ({ channelId } = await alice.store({ $case: "chatMessage", value }));
  }
  const marks = async (...flags: string[]) => {
    const args = ["history", "--channel", channelId, "--agent", "bob", "--hub", hub.address];
    const { code, stderr, json } = await runHere([...args, "--json", ...flags]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    return json().map(({ content }) => String(content).slice(0, 1));
  };
  expect(await marks("--all")).toEqual(["1", "2", "3", "4", "5"]);
  expect(await marks("--all", "--after", "2")).toEqual(["3", "4", "5"]);
  expect(await marks("--all", "--after", "5")).toEqual([]);
});

test("history --all of a chat with nothing but its first message shows that one alone", async () => {
  const args = ["--agent", "carol", "--hub", hub.address];
  const sent = await runHere(["send", "--to", "dave", "only", ...args, "--json"]);
  const channel = String(sent.json()[0]?.channel_id);
  const { stdout } = await runHere(["history", "--channel", channel, "--all", ...args]);
  expect(stdout).toMatch(/^\S+ +#1 {2}carol: only\n$/);
});
