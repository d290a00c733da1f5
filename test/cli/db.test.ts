import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { sizeText } from "../../src/cli/database-file.js";
import { moment } from "../../src/cli/setting-kinds.js";
import { endCli, runCli, startServe, testFolder } from "../support/cli.js";
import { runHere } from "../support/cli-here.js";
import { closeAgents, openAgent } from "../support/raw-agent.js";
import { fourAtATime } from "./four-at-a-time.js";

afterAll(endCli);

/** Each of these runs several commands, and a busy machine takes seconds to start one. */
const MINUTE = { timeout: 60_000 };

test(
  "an operator verifies and backs up beside a running hub, and restores when it is down",
  MINUTE,
  async () => {
    const cwd = testFolder();
    const hub = await startServe([], { cwd });
    const db = (...args: string[]) => runCli(["db", ...args], { cwd });
    const sent = await send(hub.address, "before the backup");
    const [verified, backedUp, refused] = await Promise.all([
      db("verify"),
      db("backup", "monday.db", "--json"),
      db("restore", "no-such.db"),
    ]);
    expect(verified).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/1 entry .*all is well/),
    });
    expect(backedUp.json()).toMatchObject([{ backup: join(cwd, "monday.db") }]);
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining("another hub") });

    hub.child.kill("SIGTERM");
    await hub.result;
    const restored = await db("restore", "monday.db");
    expect(restored.stdout).toMatch(/^restored 1 channel with 1 entry .*\n.*before-restore-.*\n$/);
    const again = await startServe([], { cwd });
    const at = ["--hub", again.address, "--agent", "b", "--json"];
    const page = await runHere(["history", "--channel", sent, ...at], { cwd });
    expect(page.stdout).toContain("before the backup");
  },
);

test(
  "pruning beside a running hub: the chat is gone, and the hub notices nothing else",
  MINUTE,
  async () => {
    const cwd = testFolder();
    const hub = await startServe([], { cwd });
    const db = (...args: string[]) => runCli(["db", ...args, "--json"], { cwd });
    const at = ["--hub", hub.address, "--agent"];
    const channel = await send(hub.address, "long ago");
    await runHere(["end", "--channel", channel, ...at, "a"]);
    const [later, dry] = await Promise.all([
      db("prune", "--ended-before", "1d"),
      db("prune", "--ended-before", "0d", "--dry-run"),
    ]);
    expect(later.json()).toMatchObject([{ channels: 0 }]);
    expect(dry.json()).toMatchObject([{ channels: 1, entries: 2, dry_run: true }]);
    const pruned = await db("prune", "--ended-before", "0d");
    expect(pruned.json()).toMatchObject([{ channels: 1, entries: 2, unread: 1, dry_run: false }]);
    const [history] = await Promise.all([
      runHere(["history", "--channel", channel, ...at, "b"]),
      send(hub.address, "after"),
    ]);
    expect(history.stderr).toContain("CHANNEL_NOT_FOUND");
    const [heard, verified] = await Promise.all([
      runHere(["listen", "--count", "1", "--json", ...at, "b"]),
      db("verify"),
    ]);
    expect(heard.json()).toMatchObject([{ content: "after", seq: 1 }]);
    expect(verified.json()).toMatchObject([{ channels: 1, entries: 1, violations: 0, found: [] }]);
  },
);

test(
  "D7: a log that is declared lost has a new epoch, and its entries and positions",
  MINUTE,
  async () => {
    const cwd = testFolder();
    const hub = await startServe([], { cwd });
    const declareLost = (...args: string[]) => runCli(["db", "declare-lost", ...args], { cwd });
    const listen = async (address: string) => {
      const at = ["--hub", address, "--agent", "b", "--json"];
      return (await runHere(["listen", "--count", "1", ...at], { cwd })).json();
    };
    await send(hub.address, "handled");
    expect(await listen(hub.address)).toMatchObject([{ content: "handled" }]);
    await send(hub.address, "not handled");
    const before = await epochAt(hub.address);
    const refused = await declareLost();
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining("another hub") });
    // Its log is still beside it.
    hub.child.kill("SIGKILL");
    await hub.result;

    const [declared] = (await declareLost("--json")).json();
    expect(declared).toMatchObject({ db: join(cwd, "claw-chat.db"), epoch_before: before });
    const again = await startServe([], { cwd });
    expect(await epochAt(again.address)).toBe(declared?.epoch);
    expect(declared?.epoch).not.toBe(before);
    expect(await listen(again.address)).toMatchObject([{ content: "not handled", seq: 2 }]);
    again.child.kill("SIGTERM");
    await again.result;
    const { stdout } = await declareLost();
    expect(stdout).toMatch(
      new RegExp(`^.*claw-chat.db is epoch .* was ${declared?.epoch}\n.*forget`),
    );
    expect((await runCli(["db", "verify", "--json"], { cwd })).json()).toMatchObject([
      { entries: 2, violations: 0, epoch: expect.not.stringContaining(String(declared?.epoch)) },
    ]);
  },
);

/** What the hub says of its log. */
async function epochAt(address: string): Promise<string> {
  const agent = openAgent(address, "anybody");
  const { storeEpoch } = await agent.next("sessionStarted");
  await closeAgents();
  return storeEpoch;
}

/** Sends from "a" to "b"; returns the channel. */
async function send(address: string, content: string): Promise<string> {
  const at = ["--hub", address, "--agent", "a", "--json"];
  const sent = await runHere(["send", "--to", "b", content, ...at]);
  return String(sent.json()[0]?.channel_id);
}

test("a wrong word is exit code 2, a database that is not there exit code 1", MINUTE, async () => {
  const cases: [number, string[]][] = [
    [2, ["db", "prune"]],
    [2, ["db", "prune", "--ended-before", "yesterday"]],
    [2, ["db", "backup"]],
    [2, ["db", "verify", "--db", ":memory:"]],
    [2, ["db", "wipe"]],
    [1, ["db", "verify"]],
    [1, ["db", "backup", "x.db"]],
    [1, ["db", "restore", "x.db"]],
    [1, ["db", "declare-lost"]],
  ];
  await fourAtATime(cases, async ([expected, args]) => {
    const { code, stdout, stderr } = await runCli(args);
    expect({ args, code, stdout }).toEqual({ args, code: expected, stdout: "" });
    expect(stderr).not.toBe("");
  });
});

test("a moment is a date or so long ago, and sizes are read by people", () => {
  const nowMs = Date.UTC(2026, 10, 22, 10);
  const { fromText } = moment(nowMs);
  expect(fromText("30d")).toBe(Date.UTC(2026, 9, 23, 10));
  expect(fromText("12h")).toBe(Date.UTC(2026, 10, 21, 22));
  expect(fromText("2026-11-01")).toBe(Date.UTC(2026, 10, 1));
  expect(fromText("2026-11-01T02:00:00+02:00")).toBe(Date.UTC(2026, 10, 1));
  for (const odd of ["", "30", "d", "-1d", "2026-13-01", "2026-11-01T02:00", "1.11.2026"]) {
    expect(fromText(odd)).toBeUndefined();
  }
  expect([0, 1023, 1024, 1536 * 1024, 5e12].map(sizeText)).toEqual([
    ...["0 bytes", "1023 bytes", "1.0 KiB", "1.5 MiB", "4.5 TiB"],
  ]);
});
