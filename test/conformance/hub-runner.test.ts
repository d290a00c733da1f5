import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createArrivals } from "../../conformance/hub/arrivals.ts";
import type { HubUnderTest } from "../../conformance/hub/hub-under-test.ts";
import { match } from "../../conformance/hub/match.ts";
import { startOwnHub } from "../../conformance/hub/own-hub.ts";
import { play } from "../../conformance/hub/play.ts";
import { readText } from "../../conformance/hub/read-transcripts.ts";
import { endCli, startScript } from "../support/cli.js";

const MAIN = fileURLToPath(new URL("../../conformance/hub/main.ts", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "claw-chat-transcripts-"));
let hub: HubUnderTest;

beforeAll(async () => {
  hub = await startOwnHub({ name: "plain", has: ["open"], args: [] }, { run: "test" });
});
afterAll(async () => {
  await hub.close();
  await endCli();
  rmSync(folder, { recursive: true, force: true });
});

const HEAD = `id: M5-a-test
title: A transcript of a test.
rules: [M5]
agents: [alice, bob]
steps:
`;
const GREETING = `  - bob connects: manual
  - alice connects: none
  - alice sends: { chatMessage: { targetAgent: $bob, content: Hello } }
    receipt: { channelId: $chat, seq: 1 }
`;

const HEARD = "  - bob gets: { chatMessage: { channelId: $chat, content: Hello } }\n";

/** What comes of steps, which begin in line 6. */
async function playSteps(steps: string, run: string, patienceMs = 20_000) {
  const [transcript] = readText(HEAD + steps, "test.yaml");
  if (transcript === undefined) throw new Error("there is no transcript");
  return play(transcript, { hub, run, patienceMs });
}

test("a transcript that the hub keeps to has passed", async () => {
  expect(await playSteps(GREETING + HEARD, "kept")).toMatchObject({ passed: true, why: "" });
});

test.each<[name: string, steps: string, why: string]>([
  [
    "something else arrived",
    "  - bob gets: { chatMessage: { content: Bye } }\n",
    '10: chatMessage.content is "Hello" and not "Bye"',
  ],
  ["another kind of frame arrived", "  - bob gets: { chatEnd: {} }\n", "10: chatEnd is missing"],
  [
    "something is missing",
    `${HEARD}  - bob half-closes:\n  - bob gets: { chatEnd: {} }\n`,
    '12: {"chatEnd":{}} never came; the stream ended: 0 OK',
  ],
  ["something arrived that no step expects", "", "8: bob got what no step expects"],
  ["something arrived too early", "  - bob gets nothing:\n", "10: bob got what no step expects"],
  [
    "what arrived came in another order",
    "  - alice sends: { chatMessage: { channelId: $chat, content: Bye } }\n" +
      "  - bob gets: [{ chatMessage: { content: Bye } }, { chatMessage: { content: Hello } }]\n",
    '11: chatMessage.content is "Hello" and not "Bye"',
  ],
  [
    "what was to be refused is not",
    "  - alice sends: { chatEnd: { channelId: $chat } }\n    refused: CHANNEL_ENDED\n",
    "10: it was not refused",
  ],
  [
    "what was not to be refused is",
    "  - alice sends: { chatEnd: { channelId: none } }\n",
    "10: it was refused",
  ],
  [
    "it is refused for another reason",
    "  - alice sends: { chatEnd: { channelId: none } }\n    refused: SERVICE_NOT_FOUND\n",
    '10: reason is "CHANNEL_NOT_FOUND" and not "SERVICE_NOT_FOUND"',
  ],
  [
    "a variable has another value",
    "  - alice sends: { chatMessage: { targetAgent: $bob, content: Bye } }\n" +
      "    receipt: { channelId: $bob }\n",
    "10: channelId is ",
  ],
  [
    "a call is answered otherwise",
    "  - alice calls: ListChannels\n    returns: { channels: [] }\n",
    "10: channels is ",
  ],
  [
    "a stream ends otherwise",
    "  - alice half-closes:\n  - alice ends: ABORTED\n",
    '11: status is "OK" and not "ABORTED"',
  ],
  ["the runner cannot do it", "  - hub restarts:\n", "10: the runner cannot do this"],
])("a transcript fails, and says in which line, when %s", async (name, steps, why) => {
  const played = await playSteps(GREETING + steps, name.replaceAll(" ", "-"));
  expect(played.passed).toBe(false);
  expect(played.why).toContain(`test.yaml:${why}`);
});

test("a transcript fails when what must come does not, after as long as it may take", async () => {
  const { passed, why } = await playSteps(`${GREETING}  - alice ends: OK\n`, "late", 500);
  expect(passed).toBe(false);
  expect(why).toContain(" never came; what did: ");
});

const message = (seq: number) => ({
  replayed: false,
  chatMessage: { channelId: "ch", seq: `${seq}` },
});

test("D1: what comes twice, or behind its successor, is noticed whatever a transcript expects", () => {
  const arrivals = createArrivals();
  arrivals.add(message(2));
  expect(() => arrivals.add(message(2))).toThrow("seq 2 came after seq 2");
  expect(() => arrivals.add(message(1))).toThrow("seq 1 came after seq 2");
});

test("patterns compare what they name, take values for variables, and know what is empty", () => {
  const actual = { a: "1", b: [{ c: "x" }], d: "", e: "0.250s", f: "xxx" };
  const variables = new Map<string, unknown>([["known", "x"]]);
  const found = match(
    { a: 1, b: [{ c: "$known" }], d: null, e: { $between: [0.1, 1] } },
    actual,
    variables,
  );
  expect(found).toEqual({ bound: new Map() });
  expect(match({ a: "$new", f: { $text: 3 } }, { ...actual, f: "xxx" }, variables)).toEqual({
    bound: new Map([["new", "1"]]),
  });
  for (const pattern of [
    { a: 2 },
    { a: null },
    { b: [] },
    { d: { $any: true } },
    { d: "$filled" },
    { e: { $between: [1, 2] } },
    { f: { $text: 2 } },
    { b: [{ c: "$same" }], a: "$same" },
    { g: "x" },
  ]) {
    expect(match(pattern, actual, variables), JSON.stringify(pattern)).toHaveProperty("differs");
  }
});

test.each<[text: string, problem: string]>([
  ["id: M5-x\ntitle: X.\nrules: [M5]\nsteps: [\n", "bad.yaml:"],
  ["- a\n", "bad.yaml:1: a transcript is a mapping"],
  [`${HEAD}  - alice conects: none\n`, "bad.yaml:6: nobody conects"],
  [`${HEAD}  - mallory connects: none\n`, "bad.yaml:6: mallory is not among the agents"],
  [`${HEAD}  - alice restarts:\n`, "bad.yaml:6: alice cannot do this"],
  [`${HEAD}  - alice sends: { chatMesage: {} }\n`, "bad.yaml:6: there is no field chatMesage"],
  [
    `${HEAD}  - alice sends:\n      chatEnd:\n        chanelId: x\n`,
    "bad.yaml:8: there is no field",
  ],
  [`${HEAD}  - bob gets: { chatEnd: { sequence: 1 } }\n`, "bad.yaml:6: there is no field"],
  [`${HEAD}  - alice calls: Register\n`, "bad.yaml:6: there is no call Register"],
  [
    `${HEAD}  - alice connects: none\n    refused: NO_SUCH\n`,
    "bad.yaml:7: there is no refusal NO_SUCH",
  ],
  [`${HEAD}  - alice connects: none\n    recipt: {}\n`, "bad.yaml:7: unknown key recipt"],
  [
    `${HEAD}  - alice sends: { chatEnd: { channelId: $chat } }\n`,
    "bad.yaml:6: $chat has no value by then",
  ],
  [HEAD.replace("[M5]", "[M5, Z9]"), "bad.yaml:3: Z9 is no rule"],
  [HEAD.replace("rules:", "needs: [magic]\nrules:"), "bad.yaml:3: magic is no need"],
  [HEAD.replace("title:", "titel:"), "bad.yaml:2: unknown key titel"],
  [HEAD.replace("M5-a-test", "M4-a-test"), "bad.yaml:1: id begins with the first rule, M5-"],
  [HEAD, "bad.yaml:5: steps is a list"],
])("a bad transcript is named with its file and line: %j", (text, problem) => {
  expect(() => readText(text, "bad.yaml")).toThrow(problem);
});

const BAD = [
  ["--only", "M99"],
  ["--patience", "0"],
  ["--hub", "127.0.0.1:1", "--patience", "0.1"],
  ["--hub", "127.0.0.1:1", "--start-command", "false"],
];

test.each(BAD)("wrong usage ends with exit code 2: %s %s %s %s", async (...words) => {
  const { code, stderr } = await startScript(MAIN, words).result;
  expect(code).toBe(2);
  expect(stderr).toMatch(/^(?!.*\n +at )/s);
  expect(stderr).not.toBe("");
});

test("against somebody's hub, what it was not given is named as not run, and a failure ends with 1", async () => {
  writeFileSync(
    join(folder, "own.yaml"),
    `${HEAD}${GREETING}  - bob gets: { chatMessage: {} }\n---\nid: L2-away\ntitle: Away.\nrules: [L2]\n` +
      "needs: [restart]\nsteps:\n  - hub restarts:\n",
  );
  const words = ["--hub", hub.address, "--transcripts", folder];
  const good = await startScript(MAIN, words).result;
  expect(good.stdout.trimEnd().split("\n").at(-1)).toBe(
    "transcripts=2 passed=1 failed=0 not_run=1 rules=1 refusals=0 not_run_names=L2-away",
  );
  expect(good.code).toBe(0);
  expect((await startScript(MAIN, [...words, "--only", "L2"]).result).code, "none was run").toBe(1);
  writeFileSync(join(folder, "own.yaml"), `${HEAD}${GREETING}`);
  const bad = await startScript(MAIN, [...words, "--json"]).result;
  expect(bad.json()[0]).toMatchObject({
    id: "M5-a-test",
    result: "failed",
    why: expect.stringContaining("own.yaml:"),
  });
  expect(bad.code).toBe(1);
});

test("--list names the transcripts and their rules, refusals and needs", async () => {
  const { code, stdout } = await startScript(MAIN, ["--list", "--only", "M2-a-repeat"]).result;
  expect(stdout).toContain("M2-a-repeat ");
  expect(stdout).toContain("M2 MESSAGE_ID_REUSED needs:direct-chats");
  expect(code).toBe(0);
});
