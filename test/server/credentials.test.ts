import { status } from "@grpc/grpc-js";
import { pino } from "pino";
import { afterAll, afterEach, beforeEach, expect, test } from "vitest";
import { openSqliteStore } from "../../src/store/sqlite/open.js";
import { endCli, runCli } from "../support/cli.js";
import { startTestHub, type TestHub } from "../support/hub.js";
import { call, closeAgents, openAgent } from "../support/raw-agent.js";
import { ANY_CHANNEL, say } from "./chat.js";

let hub: TestHub;
let keys: ReturnType<typeof keyring>;
/** Told each line of the hub's log. */
let logged: (line: Record<string, unknown>) => void;
beforeEach(async () => {
  logged = () => {};
  const log = pino({ level: "debug" }, { write: (line: string) => logged(JSON.parse(line)) });
  hub = await startTestHub({ auth: "required", log });
  keys = keyring(hub);
});
afterEach(async () => {
  await closeAgents();
  await hub.stop();
});
afterAll(endCli);

/** The command, as an operator runs it: a process of its own beside the hub. */
function keyring({ dbPath }: TestHub) {
  const run = async (...args: string[]) => {
    const result = await runCli(["keys", ...args, "--db", dbPath, "--json"]);
    expect(result).toMatchObject({ code: 0 });
    const [line = {}] = result.json();
    return { keyId: String(line.key_id), key: String(line.key) };
  };
  return {
    create: (agents: string, ...flags: string[]) => run("create", agents, ...flags),
    revoke: (keyId: string) => run("revoke", keyId),
    rotate: (keyId: string, ...flags: string[]) => run("rotate", keyId, ...flags),
  };
}

const MINUTE = { timeout: 60_000 };

test("I1 I2: a key that was made beside a running hub names its agent", MINUTE, async () => {
  const nobody = await openAgent(hub.address, "alice", "manual").ended;
  expect(nobody.metadata.get("claw-reason")).toEqual(["MISSING_CREDENTIALS"]);
  const { key } = await keys.create("alice");
  const alice = openAgent(hub.address, "", "manual", key);
  expect((await alice.next("sessionStarted")).agentId).toBe("alice");
  const other = await openAgent(hub.address, "bob", "none", key).ended;
  expect(other).toMatchObject({ code: 7 });
  expect(other.metadata.get("claw-reason")).toEqual(["AGENT_NOT_ALLOWED"]);
  await expect(call(hub.address, "", "listChannels", ANY_CHANNEL)).rejects.toMatchObject({
    code: 16,
  });
  expect(await call(hub.address, "alice", "listChannels", ANY_CHANNEL, key)).toMatchObject({
    channels: [],
  });
});

test(
  "I2: a revoked key's session ends within a second, and stores and hears nothing more",
  MINUTE,
  async () => {
    const [a, b] = await Promise.all([keys.create("alice"), keys.create("bob")]);
    const alice = openAgent(hub.address, "alice", "manual", a.key);
    const bob = openAgent(hub.address, "bob", "manual", b.key);
    const { channelId } = await alice.store({
      $case: "chatMessage",
      value: { targetAgent: "bob", content: "before" },
    });
    await bob.next("chatMessage");
    await keys.revoke(a.keyId);
    const revokedAtMs = performance.now();
    expect(await alice.next("goAway")).toMatchObject({
      reason: "CREDENTIALS_REVOKED",
      reconnect: false,
    });
    expect(performance.now() - revokedAtMs).toBeLessThan(1_000);
    const stored = hub.entryCount();
    alice.sendRequest({
      requestId: "late",
      frame: { $case: "chatMessage", value: { channelId, content: "after" } },
    });
    await say(bob, channelId, "to nobody");
    const status = await alice.ended;
    expect(status).toMatchObject({ code: 16 });
    expect(status.metadata.get("claw-reason")).toEqual(["CREDENTIALS_REVOKED"]);
    expect(alice.responses.at(-1)?.frame?.$case).toBe("goAway");
    expect(hub.entryCount()).toBe(stored + 1);
    await bob.settled();
    const again = await openAgent(hub.address, "alice", "manual", a.key).ended;
    expect(again.metadata.get("claw-reason")).toEqual(["CREDENTIALS_REVOKED"]);
  },
);

test("I2: a revoked session that reads nothing is cut off all the same", MINUTE, async () => {
  const [a, b] = await Promise.all([keys.create("alice"), keys.create("bob")]);
  const alice = openAgent(hub.address, "alice", "auto", a.key);
  await alice.next("sessionStarted");
  alice.pause();
  const bob = openAgent(hub.address, "bob", "none", b.key);
  for (let count = 0; count < 24; count += 1) {
    const content = "x".repeat(900_000);
    await bob.store({ $case: "chatMessage", value: { targetAgent: "alice", content } });
  }
  const closed = new Promise<void>((resolve) => {
    logged = ({ agentId, msg }) => {
      if (agentId === "alice" && msg === "session closed") resolve();
    };
  });
  await keys.revoke(a.keyId);
  // It reads nothing, so it would be there for long without being cut off.
  await closed;
  alice.resume();
  expect((await alice.ended).code).toBe(status.CANCELLED);
  // Nor is it sent what was on its way: all of it stood before the word of its end.
  expect(alice.responses.some(({ frame }) => frame?.$case === "goAway")).toBe(false);
});

test(
  "I2: two keys are good while one is rotated; what remains ends with its end",
  MINUTE,
  async () => {
    const old = await keys.create("alice");
    const fresh = await keys.rotate(old.keyId, "--overlap", "1h");
    const [first, second] = [old, fresh].map(({ key }) =>
      openAgent(hub.address, "alice", "none", key),
    );
    await Promise.all([first?.next("sessionStarted"), second?.next("sessionStarted")]);
    await keys.rotate(fresh.keyId, "--overlap", "0h");
    expect(await second?.next("goAway")).toMatchObject({ reason: "CREDENTIALS_REVOKED" });
    await first?.settled();
  },
);

test(
  "I2: a key's session is told to come back before the key expires, and then it has expired",
  MINUTE,
  async () => {
    const expiresAtMs = Date.now() + 4_000;
    const { key } = await keys.create("alice", "--expires", new Date(expiresAtMs).toISOString());
    const alice = openAgent(hub.address, "alice", "manual", key);
    const word = await alice.next("goAway");
    expect(word).toMatchObject({ reason: "CREDENTIALS_EXPIRED", reconnect: true });
    expect(Date.now()).toBeLessThan(expiresAtMs);
    expect(await alice.ended).toMatchObject({ code: 16 });
    let status = await openAgent(hub.address, "alice", "manual", key).ended;
    while (Date.now() < expiresAtMs) {
      status = await openAgent(hub.address, "alice", "manual", key).ended;
    }
    expect(status.metadata.get("claw-reason")).toEqual(["CREDENTIALS_EXPIRED"]);
  },
);

test(
  "I2: failing logins are put off, right ones are not, and the audit log has them",
  MINUTE,
  async () => {
    const { key, keyId } = await keys.create("alice");
    const wrong = key.slice(0, -1) + (key.endsWith("0") ? "1" : "0");
    const reasons: string[] = [];
    for (let count = 0; count < 11; count += 1) {
      const { metadata } = await openAgent(hub.address, "alice", "none", wrong).ended;
      reasons.push(String(metadata.get("claw-reason")));
      const [retryAfterMs] = metadata.get("claw-retry-after-ms").map(Number);
      if (count < 10) expect(retryAfterMs).toBeUndefined();
      else expect(retryAfterMs).toBeGreaterThan(30_000);
    }
    expect(reasons).toEqual([...Array(10).fill("BAD_CREDENTIALS"), "TOO_MANY_FAILED_LOGINS"]);
    await openAgent(hub.address, "alice", "none", key).next("sessionStarted");
    await closeAgents();
    await hub.halt();
    const audit = await runCli(["audit", "--db", hub.dbPath, "--json"]);
    const [created, ...refused] = audit.json();
    expect(created).toMatchObject({ event: "key_created", actor: "operator", agent_id: "alice" });
    expect(refused).toHaveLength(11);
    expect(refused[10]).toMatchObject({
      event: "login_refused",
      actor: "",
      agent_id: "alice",
      address: "127.0.0.1",
      detail: `BAD_CREDENTIALS, key ${keyId}`,
    });
    expect(audit.stdout).not.toContain(wrong.slice(-64));
    expect(audit.stdout).not.toContain(key.slice(-64));
  },
);

test("I3: an agent is known by a key made for it, or from its first login on", MINUTE, async () => {
  await keys.create("alice");
  const { key } = await keys.create("weather-*");
  const first = openAgent(hub.address, "weather-1", "none", key);
  await first.next("sessionStarted");
  const nobody = await openAgent(hub.address, "", "none", key).ended;
  expect(nobody.metadata.get("claw-reason")).toEqual(["MISSING_AGENT_ID"]);
  await openAgent(hub.address, "mallory", "none", key).ended;
  await closeAgents();
  await hub.halt();
  const store = await openSqliteStore({ path: hub.dbPath });
  const known = await store.transaction(async (tx) => {
    const agents = ["alice", "weather-1", "weather-2", "weather-*", "mallory"];
    return Promise.all(agents.map((agentId) => tx.knowsAgent(agentId)));
  });
  await store.close();
  expect(known).toEqual([true, true, false, false, false]);
});

test(
  "C7: who names a chat of others is noted in the audit log, and so is an admin who lists them",
  MINUTE,
  async () => {
    const [a, b, eve, root] = await Promise.all([
      keys.create("alice"),
      keys.create("bob"),
      keys.create("eve"),
      keys.create("root", "--role", "admin"),
    ]);
    const alice = openAgent(hub.address, "alice", "none", a.key);
    const { channelId } = await alice.store({
      $case: "chatMessage",
      value: { targetAgent: "bob", content: "for bob" },
    });
    const stranger = openAgent(hub.address, "eve", "none", eve.key);
    const asked = { $case: "chatHistory", value: { channelId } } as const;
    expect(await stranger.refusal(asked)).toBe("CHANNEL_NOT_FOUND");
    const everybodys = { ...ANY_CHANNEL, memberId: "*" };
    const list = (key: string) => call(hub.address, "", "listChannels", everybodys, key);
    await expect(list(b.key)).rejects.toMatchObject({ code: 7 });
    expect((await list(root.key)).channels).toHaveLength(1);
    await closeAgents();
    await hub.halt();
    const audit = await runCli(["audit", "--db", hub.dbPath, "--json"]);
    const lines = audit.json().filter(({ event }) => event !== "key_created");
    const address = "127.0.0.1";
    expect(lines).toContainEqual(
      expect.objectContaining({
        event: "access_denied",
        actor: "eve",
        channel_id: channelId,
        address,
      }),
    );
    expect(lines).toContainEqual(
      expect.objectContaining({ event: "admin_list", actor: "root", address }),
    );
    expect(audit.stdout).not.toContain("for bob");
  },
);
