import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { sizeText } from "../../src/cli/database-file.js";
import { moment } from "../../src/cli/setting-kinds.js";
import { endCli, runCli, startServe, testFolder } from "../support/cli.js";

afterAll(endCli);

test("an operator verifies, backs up and prunes beside a running hub, and restores when it is down", async () => {
  const cwd = testFolder();
  const hub = await startServe([], { cwd });
  const db = (...args: string[]) => runCli(["db", ...args], { cwd });
  const as = (agent: string, ...args: string[]) =>
    runCli([...args, "--hub", hub.address, "--agent", agent], { cwd });
  const sent = await as("a", "send", "--to", "b", "--json", "before the backup");
  const { channel_id: channel } = sent.json()[0] as { channel_id: string };

  const verified = await db("verify");
  expect(verified).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/1 entry .*all is well/),
  });
  const backedUp = await db("backup", "monday.db", "--json");
  expect(backedUp.json()).toMatchObject([{ backup: join(cwd, "monday.db") }]);
  expect((await db("verify", "--db", "monday.db", "--json")).json()).toMatchObject([
    { channels: 1, entries: 1, violations: 0, found: [] },
  ]);

  const refused = await db("restore", "monday.db");
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining("another hub") });
  await as("a", "end", "--channel", channel);
  expect((await db("prune", "--ended-before", "1d", "--json")).json()).toMatchObject([
    { channels: 0 },
  ]);
  const dry = await db("prune", "--ended-before", "0d", "--dry-run");
  expect(dry.stdout).toMatch(/^would remove 1 channel .* 2 entries .* in 1 of them\n$/);
  const pruned = await db("prune", "--ended-before", "0d", "--json");
  expect(pruned.json()).toMatchObject([{ channels: 1, entries: 2, unread: 1, dry_run: false }]);
  // The hub notices nothing but that the chat is gone.
  expect((await as("b", "history", "--channel", channel)).stderr).toContain("CHANNEL_NOT_FOUND");
  expect((await as("a", "send", "--to", "b", "after")).code).toBe(0);
  const heard = await as("b", "listen", "--count", "1", "--json");
  expect(heard.json()).toMatchObject([{ content: "after", seq: 1 }]);
  expect((await db("verify")).code).toBe(0);

  hub.child.kill("SIGTERM");
  await hub.result;
  const restored = await db("restore", "monday.db");
  expect(restored.stdout).toMatch(/^restored 1 channel with 1 entry .*\n.*before-restore-.*\n$/);
  const again = await startServe([], { cwd });
  const at = ["--hub", again.address, "--agent", "b"];
  const page = await runCli(["history", "--channel", channel, "--json", ...at], { cwd });
  expect(page.stdout).toContain("before the backup");
});

test("a wrong word is exit code 2, a database that is not there exit code 1", async () => {
  const cases: [number, string[]][] = [
    [2, ["db", "prune"]],
    [2, ["db", "prune", "--ended-before", "yesterday"]],
    [2, ["db", "backup"]],
    [2, ["db", "verify", "--db", ":memory:"]],
    [2, ["db", "wipe"]],
    [1, ["db", "verify"]],
    [1, ["db", "backup", "x.db"]],
    [1, ["db", "restore", "x.db"]],
  ];
  for (const [expected, args] of cases) {
    const { code, stdout, stderr } = await runCli(args);
    expect({ args, code, stdout }).toEqual({ args, code: expected, stdout: "" });
    expect(stderr).not.toBe("");
  }
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
