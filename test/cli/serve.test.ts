import { execFile, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, expect, test } from "vitest";
import { endCli, runCli, startCli, startServe, testFolder } from "../support/cli.js";
import { runHere } from "../support/cli-here.js";
import { fourAtATime } from "./four-at-a-time.js";

afterAll(endCli);

const hasGrpcurl = spawnSync("grpcurl", ["-version"]).error === undefined;

test("it says where it listens, where it stores, and one line to try", async () => {
  const cwd = testFolder();
  const hub = startCli(["serve", "--listen", "127.0.0.1:0"], { cwd });
  const said = await hub.said("stdout", /^[\s\S]*Try it: .*\n/);
  expect(said).toMatch(/listens on 127\.0\.0\.1:\d+\n/);
  expect(said).toContain(`stores in ${join(cwd, "claw-chat.db")}.\n`);
  expect(existsSync(join(cwd, "claw-chat.db"))).toBe(true);
  hub.child.kill("SIGTERM");
  expect((await hub.result).code).toBe(0);
});

test("M1: a hub in memory says that nothing outlives it", async () => {
  const hub = startCli(["serve", "--listen", "127.0.0.1:0", "--db", ":memory:"]);
  await hub.said("stdout", /nothing outlives this process/);
  const other = await startServe(["--db", ":memory:"]);
  expect(other.announced).toMatchObject({ db: ":memory:", durable: false });
});

test.skipIf(!hasGrpcurl && !process.env.CI)("the line to try really works", async () => {
  const hub = await startServe();
  expect(hub.announced).toMatchObject({ durable: true, try: expect.stringMatching(/^grpcurl /) });
  const { stdout } = await promisify(execFile)("sh", ["-c", String(hub.announced.try)]);
  expect(stdout).toContain('"sessionStarted"');
  expect(stdout).toContain('"hubVersion"');
});

test("L2: after SIGTERM it exits 0, and what was stored is there again", async () => {
  const cwd = testFolder();
  const before = await startServe([], { cwd });
  const sent = await runCli(["send", "--hub", before.address, "--agent", "a", "--to", "b", "kept"]);
  expect(sent.code).toBe(0);
  before.child.kill("SIGTERM");
  expect(await before.result).toMatchObject({ code: 0 });
  const after = await startServe([], { cwd });
  const heard = await runCli([
    "listen",
    "--hub",
    after.address,
    "--agent",
    "b",
    "--count",
    "1",
    "--json",
  ]);
  expect(heard.json()).toMatchObject([{ content: "kept", replayed: true }]);
});

test("logs go to stderr, as JSON lines, without contents or credentials", async () => {
  const hub = await startServe(["--log-level", "trace"]);
  const at = ["--hub", hub.address, "--agent", "a"];
  await runCli(["send", ...at, "--to", "b", "--api-key", "s3cret-key", "s3cret-words"]);
  hub.child.kill("SIGINT");
  const { code, stdout, stderr } = await hub.result;
  expect(code).toBe(0);
  expect(stdout.trim().split("\n")).toHaveLength(1);
  const lines = stderr
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(lines).toContainEqual(expect.objectContaining({ msg: "stopping", signal: "SIGINT" }));
  expect(stderr).not.toContain("s3cret");
});

test("logs are short lines where text is asked for, and none where it is silent", async () => {
  const hub = await startServe(["--log-format", "text"]);
  const line = await hub.said("stderr", /^.*hub serves.*\n/);
  expect(line).toMatch(/^\d\d:\d\d:\d\d info {2}hub serves {2}address=127\.0\.0\.1:\d+\n$/);
  const silent = await startServe(["--log-level", "silent"]);
  silent.child.kill("SIGTERM");
  expect((await silent.result).stderr).toBe("");
});

test("a second signal ends it at once", async () => {
  const hub = await startServe();
  const stalled = startCli(["listen", "--hub", hub.address, "--agent", "stalled"]);
  await stalled.said("stderr", /listening as stalled/);
  // A stopped process takes no more than the connection's window: the hub waits for it.
  stalled.child.kill("SIGSTOP");
  const at = ["--hub", hub.address, "--agent", "a"];
  const sent = await runCli(["send", ...at, "--to", "stalled", "-"], {
    input: "x".repeat(900_000),
  });
  expect(sent.code).toBe(0);
  // Under npm a Ctrl-C comes twice, and means one.
  hub.child.kill("SIGINT");
  hub.child.kill("SIGINT");
  await hub.said("stderr", /hub is going away/);
  hub.child.kill("SIGTERM");
  const { code, stderr } = await hub.result;
  expect(code).toBe(143);
  expect(stderr).not.toContain("hub stopped");
});

test("I2: an address that others can reach needs --insecure", async () => {
  const refused = await runCli(["serve", "--listen", "0.0.0.0:0"]);
  expect(refused.code).toBe(1);
  expect(refused.stderr).toMatch(/^claw-chat: .*insecure.*\n$/m);
  const hub = await startServe(["--listen", "0.0.0.0:0", "--insecure", "--db", ":memory:"]);
  expect(hub.announced.try).toContain(" 127.0.0.1:");
});

test("the hub's own settings reach it", async () => {
  const hub = await startServe([
    "--no-direct-chats",
    "--max-message-bytes",
    "1024",
    "--max-pending-requests",
    "1",
  ]);
  const at = ["--hub", hub.address, "--agent", "a"];
  expect((await runHere(["send", ...at, "--to", "b", "hi"])).stderr).toContain(
    "DIRECT_CHATS_DISABLED",
  );
  await runHere(["register", "--hub", hub.address, "--agent", "p", "--service", "s"]);
  const long = await runHere([
    "request",
    ...at,
    "--service",
    "s",
    "--no-wait",
    "--content",
    "x".repeat(2000),
  ]);
  expect(long).toMatchObject({ code: 1, stderr: expect.stringContaining("MESSAGE_TOO_LARGE") });
  expect((await runHere(["request", ...at, "--service", "s", "--no-wait"])).code).toBe(0);
  const second = await runHere(["request", ...at, "--service", "s", "--no-wait"]);
  expect(second).toMatchObject({ code: 1, stderr: expect.stringContaining("TOO_MANY_PENDING") });
});

test("what it cannot start with is one sentence, exit code 1, and the file stays as it was", async () => {
  const taken = await startServe(["--db", ":memory:"]);
  const cwd = testFolder();
  const foreign = join(cwd, "notes.txt");
  writeFileSync(foreign, "this is no database\n".repeat(100));
  const before = readFileSync(foreign);
  const cases = [
    ["--listen", taken.address],
    ["--listen", "127.0.0.1:99999"],
    ["--db", join(cwd, "no-such-folder", "hub.db")],
    ["--db", cwd],
    ["--db", foreign],
    ["--max-bytes-per-second", "1000"],
  ];
  await fourAtATime(cases, async (args) => {
    const { code, stdout, stderr } = await runCli(["serve", "--listen", "127.0.0.1:0", ...args]);
    expect({ args, code, stdout }).toEqual({ args, code: 1, stdout: "" });
    expect(stderr).toMatch(/^(\{.*\}\n)*claw-chat: [^\n]+\n$/);
    expect(stderr).not.toContain("    at ");
  });
  expect(readFileSync(foreign).equals(before)).toBe(true);
  const inUse = await runCli(["serve", "--listen", taken.address, "--db", ":memory:"]);
  expect(inUse.stderr).toBe(
    `claw-chat: ${taken.address} is taken by another program: end that one, or name another port with --listen.\n`,
  );
  const listen = await runCli(["serve", "--listen", "8765"]);
  expect(listen).toMatchObject({ code: 2, stderr: expect.stringContaining("host:port") });
});

test("health: 0 where it serves, 1 where it cannot tell, 3 where nobody answers", async () => {
  const hub = await startServe(["--db", ":memory:"]);
  const serving = await runCli(["health", "--hub", `grpc://${hub.address}`, "--json"]);
  expect(serving.code).toBe(0);
  expect(serving.json()).toEqual([{ hub: `grpc://${hub.address}`, status: "SERVING" }]);
  expect((await runCli(["health", "--hub", hub.address])).stdout).toBe(
    `${hub.address} is SERVING\n`,
  );

  const stranger = createServer();
  stranger.on("stream", (stream) => {
    stream.respond(
      { ":status": 200, "content-type": "application/grpc", "grpc-status": "12" },
      { endStream: true },
    );
  });
  await once(stranger.listen(0, "127.0.0.1"), "listening");
  const { port } = stranger.address() as AddressInfo;
  expect((await runCli(["health", "--hub", `127.0.0.1:${port}`])).code).toBe(1);
  await new Promise((closed) => stranger.close(closed));
  const nobody = await runCli(["health", "--hub", `127.0.0.1:${port}`, "--timeout", "1"]);
  expect(nobody).toMatchObject({
    code: 3,
    stderr: expect.stringContaining("is it running there?"),
  });
});

test("D1: a second hub on the same file is refused, and the file is free once the first is gone", async () => {
  const db = join(testFolder(), "hub.db");
  const first = await startServe(["--db", db]);
  const second = await runCli(["serve", "--listen", "127.0.0.1:0", "--db", db]);
  expect(second).toMatchObject({ code: 1, stderr: expect.stringContaining("by another hub") });
  // However it ends: the system lets go of the lock.
  first.child.kill("SIGKILL");
  await first.result;
  const third = await startServe(["--db", db]);
  third.child.kill("SIGTERM");
  expect((await third.result).code).toBe(0);
});
