import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  type CliOptions,
  endCli,
  runCli,
  type ServedHub,
  startServe,
  testFolder,
} from "../support/cli.js";
import { runHere } from "../support/cli-here.js";
import { fourAtATime } from "./four-at-a-time.js";

let hub: ServedHub;
beforeAll(async () => {
  hub = await startServe(["--db", ":memory:"]);
});
afterAll(endCli);

/** Nobody listens on port 1: whoever uses it finds no hub. */
const NOWHERE = "127.0.0.1:1";

function health(args: string[], options: CliOptions = {}) {
  return runHere(["health", "--timeout", "1", ...args], options);
}

function folderWith(name: string, text: string): string {
  const folder = testFolder();
  writeFileSync(join(folder, name), text);
  return folder;
}

test("a flag wins over the environment, that over the config file, that over the default", async () => {
  const wrong = folderWith("claw-chat.yaml", `hub: ${NOWHERE}\n`);
  const right = folderWith("claw-chat.yaml", `hub: ${hub.address}\n`);
  const { address } = hub;
  expect((await health(["--hub", address], { env: { CLAW_HUB: NOWHERE }, cwd: wrong })).code).toBe(
    0,
  );
  expect((await health(["--hub", NOWHERE], { env: { CLAW_HUB: address }, cwd: right })).code).toBe(
    3,
  );
  expect((await health([], { env: { CLAW_HUB: address }, cwd: wrong })).code).toBe(0);
  expect((await health([], { env: { CLAW_HUB: NOWHERE }, cwd: right })).code).toBe(3);
  expect((await health([], { env: { CLAW_HUB: "" }, cwd: right })).code).toBe(0);
  const byDefault = await runHere(["health", "--help"]);
  expect(byDefault.stdout).toContain("[localhost:8765]");
});

test("the config file is the one that --config or CLAW_CONFIG names", async () => {
  const folder = folderWith("other.yaml", `hub: ${hub.address}\ntimeout: 2\nlisten: 127.0.0.1:0\n`);
  expect((await health(["--config", "other.yaml"], { cwd: folder })).code).toBe(0);
  expect((await health([], { cwd: folder, env: { CLAW_CONFIG: "other.yaml" } })).code).toBe(0);
  const missing = await health(["--config", "nowhere.yaml"]);
  expect(missing).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("nowhere.yaml cannot be read"),
  });
});

test("switches are read from every place, and can be turned off again", async () => {
  const { address } = hub;
  const shown = async (args: string[], options: CliOptions) =>
    (await health(["--hub", address, ...args], options)).stdout.startsWith("{");
  const folder = folderWith("claw-chat.yaml", "json: true\n");
  expect(await shown([], { cwd: folder })).toBe(true);
  expect(await shown([], { cwd: folder, env: { CLAW_JSON: "false" } })).toBe(false);
  expect(await shown([], { env: { CLAW_JSON: "1" } })).toBe(true);
  expect(await shown(["--no-json"], { env: { CLAW_JSON: "1" } })).toBe(false);
});

test.each([
  ["a flag", ["--colour"], {}, "", "--colour", "--hub"],
  ["a variable", [], { CLAW_HUBB: "x" }, "", "CLAW_HUBB", "CLAW_MAX_MESSAGE_BYTES"],
  ["a key of the config file", [], {}, "hubb: x\n", "hubb", "max_message_bytes"],
])("an unknown setting is named, and the known ones are listed: %s", async (...row) => {
  const [, args, env, yaml, unknown, known] = row;
  const { code, stdout, stderr } = await health(args, {
    env: env as Record<string, string>,
    cwd: folderWith("claw-chat.yaml", yaml),
  });
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(stderr).toContain(unknown);
  expect(stderr).toContain("Known: ");
  expect(stderr).toContain(known);
});

test.each([
  [["--timeout", "soon"], {}, "", "--timeout is soon: expected a number from 0.1 to 86400"],
  [["--timeout", "0"], {}, "", "--timeout is 0: expected"],
  [[], { CLAW_JSON: "yes" }, "", "CLAW_JSON is yes: expected true or false"],
  [[], {}, "timeout: '5'\n", 'timeout in ./claw-chat.yaml is "5": expected a number'],
  [[], {}, "json: 1\n", "json in ./claw-chat.yaml is 1: expected true or false"],
  [[], {}, "hub:\n", "hub in ./claw-chat.yaml is null: expected a text"],
  [[], {}, "- hub\n", "must be a mapping"],
  [[], {}, "hub: [\n", "cannot be read"],
])(
  "a value that does not fit is refused with what would: %j %j %j",
  async (args, env, yaml, sentence) => {
    const options = { env: env as Record<string, string>, cwd: folderWith("claw-chat.yaml", yaml) };
    const command = args.length > 0 ? ["health", ...args] : ["health"];
    const { code, stdout, stderr } = await runHere(command, options);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(sentence);
  },
);

test("a key is never printed, not even when it is wrong", async () => {
  const cwd = folderWith("claw-chat.yaml", "api_key: 123456\n");
  const { code, stderr } = await runHere(["services", "--agent", "a", "--hub", hub.address], {
    cwd,
  });
  expect(code).toBe(2);
  expect(stderr).toContain("api_key in ./claw-chat.yaml has a wrong value");
  expect(stderr).not.toContain("123456");
});

test("an HTTP proxy does not stand between health and a hub on this machine", async () => {
  const env = { http_proxy: "http://127.0.0.1:1", no_proxy: "", no_grpc_proxy: "" };
  // grpc-js reads them from the process itself.
  expect((await runCli(["health", "--hub", hub.address], { env })).code).toBe(0);
});

test("what a call needs is asked for", async () => {
  const at = ["--hub", hub.address];
  const noCertificate = join(folderWith("notes.txt", "no certificate\n"), "notes.txt");
  const pem = "-----BEGIN CERTIFICATE-----\nTm9uZQ==\n-----END CERTIFICATE-----\n";
  const brokenCertificate = join(folderWith("ca.pem", pem), "ca.pem");
  const cases: [string[], string][] = [
    [["services"], "--agent ID"],
    [["services", "--agent", "no spaces"], "--agent must be 1 to 128 characters"],
    [["send", "--agent", "a", "hello"], "to whom?"],
    [["send", "--agent", "a", "--to", "b"], "missing required argument"],
    [["request", "--agent", "a"], "a chat with whom?"],
    [["accept", "--agent", "a"], "which request?"],
    [
      ["reject", "--agent", "a", "--channel", "c", "--code", "expired"],
      "busy, not_allowed, unsupported",
    ],
    [["history", "--agent", "a"], "which chat?"],
    [["history", "--agent", "a", "--channel", "c", "--limit", "0"], "whole number from 1 to 1000"],
    [["register", "--agent", "a"], "--service"],
    [["services", "--agent", "a", "--hub", "ws://localhost:8765"], "grpc://localhost:8765"],
    [["services", "--agent", "a", "--ca-cert", "nowhere.pem"], "nowhere.pem cannot be read"],
    [["services", "--agent", "a", "--ca-cert", noCertificate], "no file of PEM certificates"],
    [["health", "--ca-cert", brokenCertificate], "no file of PEM certificates"],
    [["services", "--agent", "a", "--api-key", "a b"], "printable ASCII without spaces"],
    [["chatter"], "unknown command"],
  ];
  await fourAtATime(cases, async ([args, sentence]) => {
    const needsHub = !args.includes("--hub") && args[0] !== "chatter";
    const { code, stderr } = await runHere(needsHub ? [...args, ...at] : args);
    expect({ args, code }).toEqual({ args, code: 2 });
    expect(stderr).toContain(sentence);
    expect(stderr).not.toMatch(/^ +at /m);
  });
});

test("no hub there: exit code 3, within --timeout", async () => {
  const { code, stderr } = await runHere([
    "services",
    "--agent",
    "a",
    "--hub",
    NOWHERE,
    "--timeout",
    "0.5",
  ]);
  expect(code).toBe(3);
  expect(stderr).toMatch(/^claw-chat: no hub answers at .+\n$/);
});
