import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { LOCALHOST, makeAuthority } from "../support/certificate.js";
import { endCli, startServe, testFolder } from "../support/cli.js";
import { runHere } from "../support/cli-here.js";
import { commandsWithFlag } from "../support/commands-with-flag.js";
import { startTestHub, type TestHub } from "../support/hub.js";
import { type PastingShell, startPastingShell } from "../support/pasting-shell.js";
import { SKIP_GRPCURL, SKIP_OPENSSL } from "../support/tools.js";

/** Everything a shell could take for more than a text. */
const HOSTILE = 'It\'s "$HOME" `id` $(id) \\n \\ !! ; & | > < * ~ #1\n天\u0007\u202e';

/** A conversation in commands. CHANNEL stands for alice's newest channel in the hub it is said to. */
const TALK: [agent: string, ...words: string[]][] = [
  ["snow", "register", "--service", "snow-svc", "--description", HOSTILE, "--tag", "a b"],
  ["snow", "register", "--service", "ice", "--auto", "--max-active-chats", "2", "--allow", "a*"],
  ["alice", "services", "snow", "--tag", "a b"],
  ["alice", "request", "--service", "snow-svc", "--answer-within", "90.5", "--no-wait"],
  ["snow", "reject", "--consumer", "alice", "--code", "busy", "--retry-after", "0.25"],
  ["alice", "request", "--service", "snow-svc", "--content", HOSTILE, "--idempotency-key", "k"],
  ["snow", "accept", "--channel", "CHANNEL", "--content", "Where?"],
  ["alice", "send", "--service", "snow-svc", HOSTILE],
  ["alice", "send", "--channel", "CHANNEL", "--message-id", "m", "--content-type", "a/b", "{}"],
  ["snow", "send", "--to", "alice", "--reply-to", "m", "Here."],
  ["alice", "history", "--channel", "CHANNEL", "--after", "3", "--limit", "5"],
  ["alice", "end", "--channel", "CHANNEL", "--code", "completed", "--reason", HOSTILE],
  ["alice", "channels", "--state", "ended", "--peer", "snow"],
  ["alice", "history", "--service", "snow-svc", "--all"],
  ["snow", "unregister", "--service", "ice"],
];
/** In which field the commands that read show texts of an agent. */
const READ: Record<string, string> = {
  services: "description",
  history: "content",
  channels: "reason",
};
/** What is delivered to each agent in all. */
const DELIVERIES = { alice: 3, snow: 5 };
/** The commands that the tests below run by themselves. */
const OTHERS = ["listen", "health"];

let asCommands: TestHub;
let asLines: TestHub;
let shell: PastingShell;
beforeAll(async () => {
  [asCommands, asLines] = await Promise.all([startTestHub(), startTestHub()]);
  shell = startPastingShell();
});
afterAll(async () => {
  await shell.end();
  await endCli();
  await Promise.all([asCommands.stop(), asLines.stop()]);
});

test("every command that talks to a hub can print its grpcurl line, and is tried here", async () => {
  const talking = await commandsWithFlag("--hub");
  expect(talking.length).toBeGreaterThan(10);
  expect(await commandsWithFlag("--print-grpcurl")).toEqual(talking);
  const tried = new Set([...TALK.map(([, command = ""]) => command), ...OTHERS]);
  expect([...tried].toSorted()).toEqual(talking.toSorted());
});

test.skipIf(SKIP_GRPCURL)(
  "S1, C2, C3, M3, C6: a conversation in printed lines leaves what the commands leave",
  async () => {
    for (const [agent, ...words] of TALK) {
      const command = async (hub: TestHub, ...more: string[]) => {
        const channel = await newestChannel(hub);
        const own = words.map((word) => (word === "CHANNEL" ? channel : word));
        return runHere([...own, "--hub", hub.address, "--agent", agent, ...more]);
      };
      // Waiting for the answer is what a line does not do.
      const waits = words[0] === "request" && !words.includes("--no-wait");
      const run = await command(asCommands, "--json", ...(waits ? ["--no-wait"] : []));
      const printed = await command(asLines, "--print-grpcurl");
      expect({ words, code: run.code, printed: printed.code }).toEqual({
        words,
        code: 0,
        printed: 0,
      });
      expect(printed.stdout).toMatch(/^grpcurl -plaintext .*\n$/);
      expect(printed.stderr).toContain(waits ? "does not wait" : "");
      const { code, output } = await shell.paste(printed.stdout.trimEnd());
      expect({ words, code, output }).toEqual({ words, code: 0, output: expect.anything() });
      expect(output).not.toContain('"error"');
      // What is read: the same texts. What is written is compared in the hubs.
      const field = READ[words[0] ?? ""];
      if (field === undefined) continue;
      expect(textsIn(output, field)).toEqual(textsIn(run.stdout, field));
      expect(textsIn(output, field).length).toBeGreaterThan(0);
    }
    const left = await leftIn(asLines);
    expect(left.length).toBeGreaterThan(12);
    expect(left).toEqual(await leftIn(asCommands));
  },
);

test.skipIf(SKIP_GRPCURL)("D2: the line of listen is a session that stays open", async () => {
  const args = ["--hub", asLines.address, "--agent", "emil"];
  await runHere(["send", "--hub", asLines.address, "--agent", "dora", "--to", "emil", "one"]);
  const lineOf = async (...flags: string[]) =>
    (await runHere(["listen", ...flags, ...args, "--print-grpcurl"])).stdout.trimEnd();
  const deliveries = () => shell.output().match(/"content": "one"/g)?.length ?? 0;
  for (const [count, flags] of [["--no-ack"], []].entries()) {
    await shell.paste(`exec 3> >(${await lineOf(...flags)})`);
    await shell.until(() => deliveries() === count + 1 || null);
    await shell.paste("exec 3>&-");
  }
  // The first left it unacked, the second did not.
  const channels = await runHere(["channels", ...args, "--json"]);
  expect(channels.json()).toMatchObject([
    {
      positions: expect.arrayContaining([
        expect.objectContaining({ agent_id: "emil", acked_seq: 1 }),
      ]),
    },
  ]);
});

test.skipIf(SKIP_GRPCURL)("the line of health asks what health asks", async () => {
  const { stdout } = await runHere(["health", "--hub", asLines.address, "--print-grpcurl"]);
  const { code, output } = await shell.paste(stdout.trimEnd());
  expect({ code, output }).toEqual({ code: 0, output: expect.stringContaining("SERVING") });
});

test.skipIf(SKIP_GRPCURL || SKIP_OPENSSL)(
  "I1: a line has the TLS files and the agent, and never the API key",
  async () => {
    const authority = makeAuthority();
    const { certFile, keyFile } = authority.issue("hub", LOCALHOST);
    const own = authority.issue("alice", [["DNS", "alice"]]);
    const db = join(testFolder(), "hub.db");
    const key = (await runHere(["keys", "create", "alice", "--db", db])).stdout.trim();
    expect(key).toMatch(/^claw_/);
    const tls = ["--tls-cert", certFile, "--tls-key", keyFile, "--client-ca", authority.caFile];
    const hub = await startServe(["--db", db, ...tls]);
    const args = [
      "channels",
      "--agent",
      "alice",
      "--hub",
      `grpcs://${hub.address}`,
      "--timeout",
      "7",
    ];
    const certs = ["--ca-cert", authority.caFile];

    const flag = await runHere([...args, ...certs, "--api-key", key, "--print-grpcurl"]);
    const variable = await runHere([...args, ...certs, "--print-grpcurl"], {
      env: { CLAW_API_KEY: key },
    });
    expect(flag.stderr).toContain("export it as CLAW_API_KEY first");
    expect(variable.stderr).not.toContain("CLAW_API_KEY");
    for (const { stdout, stderr } of [flag, variable]) expect(stdout + stderr).not.toContain(key);
    expect(flag.stdout).toBe(variable.stdout);
    expect(flag.stdout).toContain("-max-time 7 ");

    const keyless = startPastingShell();
    const refused = await keyless.paste(flag.stdout.trimEnd());
    // grpcurl has no variable to put in, and says so.
    expect(refused).toMatchObject({ code: 1, output: expect.stringContaining("CLAW_API_KEY") });
    await keyless.end();
    const keyed = startPastingShell({ CLAW_API_KEY: key });
    expect(await keyed.paste(flag.stdout.trimEnd())).toEqual({ code: 0, output: "{}\n" });
    await keyed.end();

    const pair = ["--client-cert", own.certFile, "--client-key", own.keyFile];
    const certificate = await runHere([...args, ...certs, ...pair, "--print-grpcurl"]);
    expect(certificate.stdout).not.toContain("authorization");
    expect(await shell.paste(certificate.stdout.trimEnd())).toMatchObject({ code: 0 });
    authority.remove();
  },
);

test.each([
  [["send", "--to", "bob", "Hi", "--agent", "not an id"], "--agent must be"],
  [["send", "--to", "bob", "Hi"], "who is speaking?"],
  [["send", "Hi", "--agent", "alice"], "to whom?"],
  [["channels", "--agent", "alice", "--hub", "http://localhost"], "use grpc://localhost"],
  [["channels", "--agent", "alice", "--client-cert", "x.pem"], "belong together"],
])("no line is printed where the command would not run: %s", async (args, sentence) => {
  const { code, stdout, stderr } = await runHere([...args, "--print-grpcurl"]);
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(stderr).toContain(sentence);
});

/** Alice's newest channel, or nothing. */
async function newestChannel(hub: TestHub): Promise<string> {
  const listed = await runHere(["channels", "--json", "--hub", hub.address, "--agent", "alice"]);
  return String(listed.json()[0]?.channel_id ?? "");
}

/** Everything both agents are shown by a hub, without the names and times it makes up. */
async function leftIn(hub: TestHub): Promise<string[]> {
  const shown: string[] = [];
  for (const [agent, deliveries] of Object.entries(DELIVERIES)) {
    const show = async (...words: string[]) => {
      const result = await runHere([...words, "--json", "--hub", hub.address, "--agent", agent]);
      shown.push(...result.stdout.split("\n"));
    };
    await show("services");
    await show("channels");
    await show("history", "--service", "snow-svc");
    await show("listen", "--count", String(deliveries));
  }
  const plain = shown.map((line) =>
    line
      .replace(/\b(?:(?:ch|msg)_)?[0-9a-f]{8}-[0-9a-f-]{27}\b/g, "NAME")
      .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "TIME"),
  );
  return plain.filter(Boolean).toSorted();
}

/** The values of a field in an output that is JSON. */
function textsIn(output: string, field: string): string[] {
  const texts = output.matchAll(new RegExp(`"${field}": ?("(?:[^"\\\\]|\\\\.)+")`, "g"));
  return [...texts].map(([, text = ""]) => JSON.parse(text));
}
