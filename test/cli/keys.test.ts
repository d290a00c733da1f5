import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { period, upcoming } from "../../src/cli/setting-kinds.js";
import { endCli, runCli, startServe, testFolder } from "../support/cli.js";
import { runHere } from "../support/cli-here.js";

afterAll(endCli);

const MINUTE = { timeout: 60_000 };

test("a key is printed alone, once, and is nowhere else afterwards", MINUTE, async () => {
  const cwd = testFolder();
  const made = await runHere(["keys", "create", "alice", "--label", "a; b"], { cwd });
  expect(made.code).toBe(0);
  expect(made.stdout).toMatch(/^claw_[0-9a-f]{16}_[0-9a-f]{64}\n$/);
  const [, keyId = "", secret = ""] = made.stdout.trim().split("_");
  expect(made.stderr).toContain(`key ${keyId} for alice (agent), does not expire`);
  expect(made.stderr).toContain("once it is started again");
  expect(made.stderr).not.toContain(secret);
  const [list, json, audit] = [
    await runHere(["keys", "list"], { cwd }),
    await runHere(["keys", "list", "--json"], { cwd }),
    await runHere(["audit"], { cwd }),
  ];
  expect(list.stdout).toMatch(
    new RegExp(`^${keyId} +alice +agent +valid +\\S+ +never +a; b$`, "m"),
  );
  expect(json.json()).toMatchObject([{ key_id: keyId, agents: "alice", state: "valid" }]);
  expect(audit.stdout).toMatch(new RegExp(`key_created +operator +alice +.*key ${keyId}, agent`));
  for (const { stdout, stderr } of [list, json, audit])
    expect(stdout + stderr).not.toContain(secret);
  const stored = readFileSync(join(cwd, "claw-chat.db"));
  for (const form of [secret, secret.toUpperCase()]) expect(stored.includes(form)).toBe(false);
  expect(stored.includes(Buffer.from(secret, "hex"))).toBe(false);
});

test("keys have roles and ends, are rotated and revoked, and each of it is in the audit log", async () => {
  const cwd = testFolder();
  const keys = async (...args: string[]) => {
    const { code, json, stderr } = await runHere(["keys", ...args, "--json"], { cwd });
    expect({ code, stderr }).toMatchObject({ code: 0 });
    return json();
  };
  const [first = {}] = await keys("create", "ops", "--role", "admin", "--expires", "10d");
  const id = String(first.key_id);
  expect(first).toMatchObject({ role: "admin", agents: "ops" });
  const [second = {}] = await keys("rotate", id, "--overlap", "1h");
  expect(second).toMatchObject({ role: "admin", agents: "ops" });
  const days = (Date.parse(String(second.expires_at)) - Date.now()) / 86_400_000;
  expect(days).toBeCloseTo(10, 2);
  const hours = async () => {
    const [old = {}] = await keys("list");
    return (Date.parse(String(old.expires_at)) - Date.now()) / 3_600_000;
  };
  expect(await hours()).toBeCloseTo(1, 2);
  const again = String(second.key_id);
  const [third = {}] = await keys("rotate", again, "--overlap", "0h");
  expect(await keys("revoke", String(third.key_id))).toMatchObject([{ changed: true }]);
  expect(await keys("revoke", String(third.key_id))).toMatchObject([{ changed: false }]);
  expect((await keys("list")).map(({ state }) => state)).toEqual(["valid", "revoked", "revoked"]);
  const audit = await runHere(["audit", "--json"], { cwd });
  expect(audit.json().map(({ event }) => event)).toEqual([
    ...["key_created", "key_rotated", "key_rotated", "key_revoked"],
  ]);
  const newest = await runHere(["audit", "--event", "key_rotated", "--limit", "1", "--json"], {
    cwd,
  });
  expect(newest.json()).toMatchObject([{ id: 3, detail: expect.stringContaining("is revoked") }]);
});

test(
  "I2: once there is a key the hub asks for credentials, and refuses to be open",
  MINUTE,
  async () => {
    const cwd = testFolder();
    const key = (await runCli(["keys", "create", "alice"], { cwd })).stdout.trim();
    const hub = await startServe([], { cwd });
    expect(hub.announced).toMatchObject({
      auth: "required",
      try: expect.stringContaining("authorization: Bearer KEY"),
    });
    const at = ["send", "--hub", hub.address, "--agent", "alice", "--to", "alice-2", "hi"];
    const [without, wrong, right] = await Promise.all([
      runCli(at),
      runCli(at, { env: { CLAW_API_KEY: "claw_x" } }),
      runCli(at, { env: { CLAW_API_KEY: key } }),
    ]);
    expect(without).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("MISSING_CREDENTIALS"),
    });
    expect(wrong).toMatchObject({ code: 1, stderr: expect.stringContaining("BAD_CREDENTIALS") });
    expect(right.stderr).not.toContain("CREDENTIALS");
    hub.child.kill("SIGTERM");
    const { stderr } = await hub.result;
    expect(stderr).not.toContain(key.slice(-64));
    const open = await runCli(["serve", "--auth", "open", "--listen", "127.0.0.1:0"], { cwd });
    expect(open).toMatchObject({ code: 1, stderr: expect.stringContaining("API keys") });
  },
);

test("what makes no sense is refused before anything is changed", async () => {
  const cwd = testFolder();
  const cases: [number, string[]][] = [
    [2, ["keys"]],
    [2, ["keys", "create"]],
    [2, ["keys", "create", "not an id"]],
    [2, ["keys", "create", "a", "--role", "king"]],
    [2, ["keys", "create", "a", "--expires", "2020-01-01"]],
    [2, ["keys", "create", "a", "--db", ":memory:"]],
    [2, ["keys", "revoke", "alice"]],
    [2, ["audit", "--event", "party"]],
    [1, ["keys", "list"]],
    [1, ["audit"]],
    [2, ["serve", "--jwks", "x.json"]],
    [2, ["serve", "--jwt-issuer", "x"]],
    [2, ["serve", "--jwt-algorithms", "ES256"]],
    [2, ["serve", "--jwks", "x", "--jwt-issuer", "x", "--jwt-audience", "x", "--auth", "open"]],
    [
      2,
      [
        ...["serve", "--jwks", "x", "--jwt-issuer", "x", "--jwt-audience", "x"],
        ...["--jwt-algorithms", "ES256,HS256"],
      ],
    ],
  ];
  for (const [expected, args] of cases) {
    const { code, stdout, stderr } = await runHere(args, { cwd });
    expect({ args, code, stdout }).toEqual({ args, code: expected, stdout: "" });
    expect(stderr).not.toBe("");
  }
  const secret = "f".repeat(64);
  const pasted = await runHere(["keys", "revoke", `claw_0123456789abcdef_${secret}`], { cwd });
  expect(pasted.code).toBe(2);
  expect(pasted.stderr).not.toContain(secret);
  await runHere(["keys", "create", "a"], { cwd });
  const unknown = await runHere(["keys", "rotate", "0123456789abcdef"], { cwd });
  expect(unknown).toMatchObject({ code: 1, stderr: expect.stringContaining("0123456789abcdef") });
});

test("a time to come is so far ahead, or a date that is not past", () => {
  const nowMs = Date.UTC(2026, 10, 22, 10);
  const { fromText } = upcoming(nowMs);
  expect(fromText("30d")).toBe(Date.UTC(2026, 11, 22, 10));
  expect(fromText("2026-11-23")).toBe(Date.UTC(2026, 10, 23));
  for (const odd of ["0d", "2026-11-22", "2020-01-01", "soon"])
    expect(fromText(odd)).toBeUndefined();
  expect(["7d", "0h", "1w", ""].map(period().fromText)).toEqual([
    ...[604_800_000, 0, undefined, undefined],
  ]);
});
