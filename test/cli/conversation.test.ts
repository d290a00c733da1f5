import { afterAll, beforeAll, expect, test } from "vitest";
import { endCli, runCli, type ServedHub, startCli, startServe } from "../support/cli.js";
import { runHere } from "../support/cli-here.js";

let hub: ServedHub;
beforeAll(async () => {
  hub = await startServe();
});
afterAll(endCli);

/** Runs a command as an agent against the test's hub. */
function as(agent: string, words: string[], input?: string | Buffer) {
  const args = [...words, "--hub", hub.address, "--agent", agent];
  return input === undefined ? runHere(args) : runCli(args, { input });
}

test("S1, C2, C3, M3, C6: the commands carry a conversation from registering to its history", {
  // Twenty processes, one after the other.
  timeout: 60_000,
}, async () => {
  const offer = ["register", "--service", "weather", "--description", "Forecasts", "--tag", "sky"];
  const registered = await as("provider", [...offer, "--json"]);
  expect(registered.stderr).toBe("");
  expect(registered.json()).toMatchObject([
    { service_id: "weather", provider_id: "provider", tags: ["sky"], accept_policy: "manual" },
  ]);
  expect((await as("provider", offer)).stdout).toBe("provider offers weather.\n");

  const found = await as("alice", ["services", "forecasts", "--tag", "sky", "--json"]);
  expect(found.json()).toMatchObject([{ service_id: "weather", provider_online: false }]);
  expect((await as("alice", ["services"])).stdout).toMatch(
    /^SERVICE +PROVIDER +ONLINE.*\nweather +provider +no/,
  );
  expect((await as("alice", ["services", "tides"])).stdout).toBe("No service fits.\n");

  const asking = ["request", "--service", "weather", "--content", "Berlin?"];
  const waiting = startCli([...asking, "--hub", hub.address, "--agent", "alice", "--json"]);
  const heard = await as("provider", ["listen", "--count", "1", "--json"]);
  expect(heard.code).toBe(0);
  const [request] = heard.json();
  expect(request).toMatchObject({
    frame: "chat_request",
    consumer_id: "alice",
    content: "Berlin?",
    seq: 1,
  });
  expect(request?.timestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  const channel = String(request?.channel_id);

  const accepted = await as("provider", [
    "accept",
    "--channel",
    channel,
    "--content",
    "Yes",
    "--json",
  ]);
  expect(accepted.json()).toMatchObject([{ channel_id: channel, seq: 2, duplicate: false }]);
  const answer = await waiting.result;
  expect(answer.code).toBe(0);
  expect(answer.json()).toMatchObject([
    { status: "accepted", channel_id: channel, state: "active" },
  ]);

  const asked = await as("alice", [
    "send",
    "--channel",
    channel,
    "--message-id",
    "q1",
    "Tomorrow?",
  ]);
  expect(asked.stdout).toBe(`stored as #3 of ${channel}  message q1\n`);
  const again = await as("alice", [
    "send",
    "--channel",
    channel,
    "--message-id",
    "q1",
    "Tomorrow?",
  ]);
  expect(again.stdout).toBe(`stored before as #3 of ${channel}  message q1\n`);
  const replied = await as(
    "provider",
    ["send", "--service", "weather", "--to", "alice", "--reply-to", "q1", "-", "--json"],
    "Sunny.\n",
  );
  expect(replied.json()).toMatchObject([{ channel_id: channel, seq: 4 }]);

  const listed = await as("alice", [
    "channels",
    "--state",
    "active",
    "--peer",
    "provider",
    "--json",
  ]);
  expect(listed.json()).toMatchObject([{ channel_id: channel, state: "active", last_seq: 4 }]);
  expect((await as("alice", ["channels"])).stdout).toContain(`${channel}  active`);

  const ended = await as("alice", ["end", "--channel", channel, "--code", "completed", "--json"]);
  expect(ended.json()).toMatchObject([{ channel_id: channel, seq: 5 }]);

  const history = await as("alice", ["history", "--channel", channel, "--json"]);
  expect(history.json()).toMatchObject([
    { seq: 3, sender_id: "alice", message_id: "q1", content: "Tomorrow?" },
    { seq: 4, sender_id: "provider", reply_to: "q1", content: "Sunny.\n" },
  ]);
  expect((await as("provider", ["history", "--service", "weather"])).stdout).toMatch(
    /#3 {2}alice: Tomorrow\?\n.*#4 {2}provider: Sunny\.\\n\n$/,
  );

  const nothing = await as("alice", ["request", "--service", "weather", "--no-wait", "--json"]);
  const [{ channel_id: empty } = {}] = nothing.json();
  expect((await as("alice", ["history", "--service", "weather"])).stdout).toBe(
    `No messages in ${empty}, which is requested.\n`,
  );

  const rest = await as("alice", ["listen", "--count", "2"]);
  expect(rest.stdout).toMatch(/provider accepts: Yes\n.*provider says: Sunny\.\\n\n$/);

  expect((await as("provider", ["unregister", "--service", "weather"])).stdout).toBe(
    "weather is withdrawn.\n",
  );
  const gone = await as("provider", ["unregister", "--service", "weather", "--json"]);
  expect(gone.code).toBe(1);
  expect(gone.stderr).toContain("SERVICE_NOT_FOUND");
});

test("C3: a rejected request ends `request` with 4 and says why", async () => {
  await as("oracle", ["register", "--service", "oracle"]);
  const asking = startCli([
    "request",
    "--service",
    "oracle",
    "--hub",
    hub.address,
    "--agent",
    "bob",
  ]);
  await as("oracle", ["listen", "--count", "1"]);
  const reject = ["reject", "--consumer", "bob", "--service", "oracle"];
  const rejected = await as("oracle", [
    ...reject,
    "--code",
    "busy",
    "--retry-after",
    "1.5",
    "--reason",
    "Later",
  ]);
  expect(rejected.stdout).toMatch(/^stored as #2 of /);
  const answer = await asking.result;
  expect(answer.code).toBe(4);
  expect(answer.stdout).toMatch(/^rejected by oracle \(busy\): Later {2}\S+\n$/);
  const told = await as("bob", ["listen", "--count", "1", "--json"]);
  expect(told.json()).toMatchObject([{ frame: "chat_reject", code: "busy", retry_after_ms: 1500 }]);
});

test("C4: a request that nobody answers in time ends `request` with 4", async () => {
  await as("sleeper", ["register", "--service", "sleep"]);
  const answer = await as("bob", [
    "request",
    "--service",
    "sleep",
    "--answer-within",
    "0.05",
    "--json",
  ]);
  expect(answer.code).toBe(4);
  expect(answer.json()).toMatchObject([{ status: "expired", reject_code: "expired" }]);
});

test("C4: a request that is taken back ends `request` with 4", async () => {
  const key = ["--provider", "sleeper", "--idempotency-key", "mine"];
  const [receipt] = (await as("carol", ["request", ...key, "--no-wait", "--json"])).json();
  expect(receipt).toMatchObject({ seq: 1, duplicate: false });
  const waiting = startCli(["request", ...key, "--hub", hub.address, "--agent", "carol", "--json"]);
  await as("carol", ["end", "--channel", String(receipt?.channel_id)]);
  const answer = await waiting.result;
  expect(answer.code).toBe(4);
  expect(answer.json()).toMatchObject([{ status: "taken_back", channel_id: receipt?.channel_id }]);
});

test("C5: a service that accepts by itself", async () => {
  const offer = ["register", "--service", "echo", "--auto", "--max-active-chats", "1", "--json"];
  expect((await as("echo", offer)).json()).toMatchObject([
    { accept_policy: "auto", max_active_chats: 1 },
  ]);
  const first = await as("bob", ["request", "--service", "echo"]);
  expect(first).toMatchObject({ code: 0, stdout: expect.stringMatching(/^accepted by echo/) });
  const second = await as("carol", ["request", "--service", "echo"]);
  expect(second).toMatchObject({
    code: 4,
    stdout: expect.stringMatching(/^rejected by echo \(busy\)/),
  });
});

test("D2, D3: --no-ack leaves entries to be delivered again; printed ones are not", async () => {
  await as("dora", ["send", "--to", "emil", "one"]);
  await as("dora", ["send", "--to", "emil", "two"]);
  const contents = async (...flags: string[]) => {
    const { code, json } = await as("emil", ["listen", "--json", ...flags]);
    expect(code).toBe(0);
    return json().map((entry) => entry.content);
  };
  expect(await contents("--no-ack", "--count", "2")).toEqual(["one", "two"]);
  expect(await contents("--count", "1")).toEqual(["one"]);
  await as("dora", ["send", "--to", "emil", "three"]);
  expect(await contents("--count", "2")).toEqual(["two", "three"]);
});

test("I4: commands leave a running listener alone; another listener takes over", async () => {
  const args = ["listen", "--hub", hub.address, "--agent", "fay"];
  const older = startCli(args);
  await older.said("stderr", /listening as fay/);
  await as("fay", ["send", "--to", "gus", "hello"]);
  await as("gus", ["send", "--to", "fay", "hello yourself"]);
  await older.said("stdout", /gus says: hello yourself/);
  const newer = startCli(args);
  const end = await older.result;
  expect(end.code).toBe(1);
  expect(end.stderr).toContain("a newer session of fay took over");
  await newer.said("stderr", /listening as fay/);
  newer.child.kill("SIGINT");
  expect((await newer.result).code).toBe(130);
});

test("D3: an entry that could not be printed is not acknowledged", async () => {
  const reader = startCli(["listen", "--hub", hub.address, "--agent", "olaf"]);
  await reader.said("stderr", /listening as olaf/);
  reader.child.stdout?.destroy();
  await as("pia", ["send", "--to", "olaf", "read me"]);
  expect((await reader.result).code).toBe(1);
  const later = await as("olaf", ["listen", "--count", "1", "--json"]);
  expect(later.json()).toMatchObject([{ content: "read me", replayed: true }]);
});

test("Ctrl-C ends `request` with 130; the request stays pending", async () => {
  const asking = ["request", "--provider", "quinn", "--hub", hub.address, "--agent", "rosa"];
  const waiting = startCli(asking);
  const [request] = (await as("quinn", ["listen", "--count", "1", "--json"])).json();
  waiting.child.kill("SIGINT");
  const { code, stderr } = await waiting.result;
  expect(code).toBe(130);
  expect(stderr).toContain(`stays pending in ${request?.channel_id}`);
  expect((await as("quinn", ["accept", "--consumer", "rosa"])).code).toBe(0);
});

test("M7: history pages by --limit, --before, --after, and --all reads every page", async () => {
  let channel = "";
  for (let n = 1; n <= 5; n += 1) {
    const [receipt] = (await as("hal", ["send", "--to", "ida", "--json", `m${n}`])).json();
    channel = String(receipt?.channel_id);
  }
  const seqs = async (...flags: string[]) =>
    (await as("ida", ["history", "--channel", channel, "--json", ...flags]))
      .json()
      .map(({ seq }) => seq);
  expect(await seqs("--limit", "2")).toEqual([4, 5]);
  expect(await seqs("--limit", "2", "--before", "4")).toEqual([2, 3]);
  expect(await seqs("--limit", "2", "--after", "1")).toEqual([2, 3]);
  expect(await seqs("--all", "--after", "2")).toEqual([3, 4, 5]);
  const page = await as("ida", ["history", "--channel", channel, "--limit", "2"]);
  expect(page.stdout).toMatch(/There is more: --before 4\n$/);
  const all = await as("ida", ["history", "--channel", channel, "--all", "--limit", "2"]);
  expect(all).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("neither --limit nor --before"),
  });
});

test("bytes that are no text arrive as data", async () => {
  const bytes = Buffer.from([0xff, 0xfe, 0x00, 0x01]);
  const sent = await as("jan", ["send", "--to", "kim", "-"], bytes);
  expect(sent.code).toBe(0);
  const heard = await as("kim", ["listen", "--count", "1", "--json"]);
  expect(heard.json()).toMatchObject([
    { data: bytes.toString("base64"), content_type: "application/octet-stream" },
  ]);
});

test("nobody drives another's terminal: control characters are shown as escapes", async () => {
  const hostile = "a\u001b[2Jb\nc\u009b31md\u202ee\u0007";
  const [receipt] = (await as("mallory", ["send", "--to", "nina", "--json", hostile])).json();
  const history = ["history", "--channel", String(receipt?.channel_id)];
  for (const result of [await as("nina", history), await as("nina", ["listen", "--count", "1"])]) {
    expect(result.stdout).toContain("a\\u001b[2Jb\\nc\\u009b31md\\u202ee\\u0007");
    expect(result.stdout.split("\n")).toHaveLength(2);
  }
  const json = await as("nina", [...history, "--json"]);
  expect(json.stdout).not.toMatch(/[\u007f-\u009f\u202e]/);
  expect(json.json()).toMatchObject([{ content: hostile }]);

  const description = "x\u001b]0;owned\u0007";
  await as("mallory", ["register", "--service", "mallory", "--description", description]);
  expect((await as("nina", ["services", "mallory"])).stdout).toContain("x\\u001b]0;owned\\u0007");
});

test("S3: a service is for those that --allow names", async () => {
  const offer = [
    "register",
    "--service",
    "ledger",
    "--allow",
    "accounting-*",
    "--allow",
    "auditor",
  ];
  const registered = await as("keeper", [...offer, "--json"]);
  expect(registered.json()).toMatchObject([{ allowed_consumers: ["accounting-*", "auditor"] }]);
  for (const agent of ["auditor", "accounting-1"]) {
    const found = await as(agent, ["services", "ledger", "--json"]);
    expect(found.json()).toMatchObject([{ service_id: "ledger", allowed_consumers: [] }]);
  }
  expect((await as("bob", ["services", "ledger"])).stdout).toBe("No service fits.\n");
  const bad = await as("keeper", ["register", "--service", "ledger", "--allow", "a b"]);
  expect(bad).toMatchObject({ code: 1, stderr: expect.stringContaining("INVALID_ID") });
});

test("C7: whoever is no admin lists no channels of others", async () => {
  for (const whose of [["--all"], ["--member", "provider"]]) {
    const listed = await as("bob", ["channels", ...whose]);
    expect(listed).toMatchObject({ code: 1, stderr: expect.stringContaining("NOT_ADMIN") });
  }
  const both = await as("bob", ["channels", "--all", "--member", "provider"]);
  expect(both).toMatchObject({ code: 2, stderr: expect.stringContaining("--member") });
});
