import { mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parse } from "yaml";
import { EXIT } from "../../src/cli/exit.js";
import { ChatClient } from "../../src/client/chat-client.js";
import { REFUSALS } from "../../src/protocol/refusals.js";
import { endCli, testFolder } from "../support/cli.js";
import { runHere } from "../support/cli-here.js";
import { commandsWithFlag } from "../support/commands-with-flag.js";
import { startTestHub, type TestHub } from "../support/hub.js";
import { type PastingShell, startPastingShell } from "../support/pasting-shell.js";
import { readMarkdown } from "./markdown.js";

const root = fileURLToPath(new URL("../../", import.meta.url));
const folder = "skills/claw-chat-hub";
const text = readFileSync(join(root, folder, "SKILL.md"), "utf8");
const [, header = "", body = ""] = /^---\n([\s\S]*?)\n---\n([\s\S]*)$/.exec(text) ?? [];
// Blocks of list items are indented.
const { blocks, tables } = readMarkdown(body.replace(/^ {3}/gm, ""));
const lines = blocks.flatMap((block) => block.text.trimEnd().split("\n"));

let hub: TestHub;
let shell: PastingShell;
beforeAll(async () => {
  hub = await startTestHub();
  // As it is installed: a command on the PATH.
  const bin = join(testFolder(), "bin");
  mkdirSync(bin);
  symlinkSync(join(root, "dist/src/cli/main.js"), join(bin, "claw-chat"));
  shell = startPastingShell({ PATH: `${bin}${delimiter}${process.env.PATH}` });
});
afterAll(async () => {
  await shell.end();
  await endCli();
  await hub.stop();
});

test("the skill says what assistants look for: its name, what it does and when to use it", () => {
  const fields: Record<string, unknown> = parse(header);
  expect(Object.keys(fields)).toEqual(["name", "description", "license"]);
  expect(fields.name).toBe(folder.split("/").at(-1));
  expect(fields.name).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/);
  const description = String(fields.description);
  expect(description).toMatch(/^[^<>]{100,1024}$/);
  expect(description).toContain("Use when");
  expect(text.split("\n").length).toBeLessThan(500);
  const { files } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  expect(files).toContain("skills");
});

test("the skill shows every command that talks to a hub, and names no other", async () => {
  const talking = await commandsWithFlag("--hub");
  const shown = new Set(lines.flatMap((line) => /claw-chat ([a-z]+) /.exec(line)?.[1] ?? []));
  expect(talking.length).toBeGreaterThan(10);
  expect([...shown].toSorted()).toEqual(talking.toSorted());
});

test("the skill's tables have every exit code a client can see, and no refusal that is none", () => {
  const [, exits = [], refusals = []] = tables.map((rows) =>
    rows.slice(1).map(([cell = ""]) => cell),
  );
  const { storage: _ofServe, ...codes } = EXIT;
  const ofTimeout = 124;
  expect(exits.map(Number)).toEqual([...Object.values(codes), ofTimeout].toSorted((a, b) => a - b));
  const named = refusals.flatMap((cell) => cell.match(/[A-Z_]+/g) ?? []);
  expect(named.length).toBeGreaterThan(10);
  expect(named.filter((word) => !(word in REFUSALS))).toEqual([]);
});

test("C3, M3, D2: every line of the skill, run in its order between two other agents", {
  // Some fifty processes, one after the other.
  timeout: 180_000,
}, async () => {
  await using weather = new ChatClient({ hubUrl: hub.url, agentId: "weather-agent" });
  weather.listen({
    request: async (request) => void (await request.accept({ content: "Which days?" })),
    message: async (message) => void (await message.reply("Rain on both.")),
  });
  await weather.connect();
  await weather.registerService({ serviceId: "weather", description: "Weather forecasts" });
  await using customer = new ChatClient({ hubUrl: hub.url, agentId: "customer" });
  const replies = customer.messages();
  await customer.connect();
  /** What the other side does once a line has been run. */
  const then: [begin: string, act: () => Promise<unknown>][] = [
    ["claw-chat register ", () => customer.sendRequest({ serviceId: "translations" })],
    [
      "claw-chat accept ",
      () => customer.sendMessage({ serviceId: "translations", content: "Good day" }),
    ],
    [
      'claw-chat send --channel "$CHANNEL" --reply-to ',
      () => customer.sendRequest({ serviceId: "translations" }),
    ],
  ];

  const heard: unknown[] = [];
  for (const line of lines) {
    const { code, output } = await shell.paste(line.replaceAll("localhost:8765", hub.address));
    expect({ line, code, output }).toEqual({ line, code: 0, output: expect.anything() });
    for (const [name, field] of NAMED) {
      const value = output.match(new RegExp(`"${field}":"?([\\w-]+)`))?.[1];
      if (value !== undefined) await shell.paste(`${name}=${value}`);
    }
    if (line.includes(" listen ")) heard.push(JSON.parse(output));
    for (const [begin, act] of then) if (line.startsWith(begin)) await act();
  }
  expect(heard).toMatchObject([
    { frame: "chat_accept", provider_id: "weather-agent", content: "Which days?" },
    { frame: "chat_message", sender_id: "weather-agent", content: "Rain on both." },
    { frame: "chat_request", consumer_id: "customer" },
    { frame: "chat_message", sender_id: "customer", content: "Good day" },
    { frame: "chat_request", consumer_id: "customer" },
  ]);
  const { value: reply } = await replies.next();
  expect(reply).toMatchObject({ content: "God dag", senderId: "my-assistant" });
  const states = [];
  for await (const { state, rejectCode } of customer.listChannels())
    states.push([state, rejectCode]);
  expect(states).toEqual([
    ["rejected", "busy"],
    ["active", undefined],
  ]);
  const bob = await runHere([
    "listen",
    "--count",
    "3",
    "--agent",
    "bob",
    "--hub",
    hub.address,
    "--json",
  ]);
  expect(bob.json()).toMatchObject([
    { content: "The report is ready." },
    { content: '{"report": 7}', content_type: "application/json" },
    { content: "The first of many lines\n" },
  ]);
});

/** What the skill calls what, and where an output has it. */
const NAMED = [
  ["CHANNEL", "channel_id"],
  ["SEQ", "seq"],
  ["MESSAGE", "message_id"],
] as const;
