import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { endCli, startScript, testFolder } from "../support/cli.js";

const DEMO = fileURLToPath(new URL("../../examples/demo/main.ts", import.meta.url));

afterAll(endCli);

function demo(args: string[], env: Record<string, string> = {}) {
  const tmp = testFolder();
  const { result, child } = startScript(DEMO, args, { env: { TMPDIR: tmp, ...env } });
  return { result, child, leftovers: () => readdirSync(tmp) };
}

test("the demo tells one conversation, and leaves nothing behind", async () => {
  const { result, leftovers } = demo([]);
  const { code, stdout, stderr } = await result;
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  const frames = ["request", "reject", "accept", "message", "end", "history"];
  for (const frame of frames) expect(stdout).toContain(`chat_${frame}`);
  expect(stdout).toMatch(
    /surf-planner +→ weather-provider +chat_request +#1 {2}“When is high tide/,
  );
  expect(stdout).toMatch(/weather-provider +→ trip-planner +chat_message +#4 {2}“Berlin: sunny/);
  expect(stdout).not.toContain("\u001b[");
  expect(leftovers()).toEqual([]);
});

test("the demo is coloured where colours are wanted", async () => {
  const { code, stdout } = await demo([], { FORCE_COLOR: "1" }).result;
  expect(code).toBe(0);
  expect(stdout).toContain("\u001b[");
});

test("the demo prints the six frames as they travelled, an object a line", async () => {
  const { result, leftovers } = demo(["--json"]);
  const { code, stderr, json } = await result;
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  const [surfer, traveller, provider] = ["surf-planner", "trip-planner", "weather-provider"];
  expect(json().map(({ frame, from, to, seq }) => [frame, from, to, seq])).toEqual([
    ["chat_request", surfer, provider, 1],
    ["chat_reject", provider, surfer, 2],
    ["chat_request", traveller, provider, 1],
    ["chat_accept", provider, traveller, 2],
    ["chat_message", traveller, provider, 3],
    ["chat_message", provider, traveller, 4],
    ["chat_message", traveller, provider, 5],
    ["chat_message", provider, traveller, 6],
    ["chat_end", traveller, provider, 7],
    ["chat_history", traveller, "hub", undefined],
    ["chat_history", "hub", traveller, undefined],
  ]);
  const frames = json();
  expect(frames[0]?.channel_id).not.toBe(frames[2]?.channel_id);
  expect(frames[10]).toMatchObject({
    channel: { state: "CHANNEL_STATE_ENDED", channel_id: frames[2]?.channel_id },
    messages: frames.slice(4, 8).map(({ frame, from, to, ...fields }) => fields),
  });
  expect(leftovers()).toEqual([]);
});

test("the demo that is interrupted says so, fails, and leaves nothing behind", async () => {
  const { result, child, leftovers } = demo([]);
  child.stdout?.once("data", () => child.kill("SIGTERM"));
  const { code, stderr } = await result;
  expect(code).toBe(1);
  expect(stderr).toContain("demo failed: got SIGTERM");
  expect(leftovers()).toEqual([]);
});
