import { afterEach, beforeEach, expect, test } from "vitest";
import { startTestHub, type TestHub } from "../support/hub.js";
import { closeAgents, openAgent } from "../support/raw-agent.js";
import { runTool, SKIP_GRPCURL } from "../support/tools.js";
import { register } from "./chat.js";

let hub: TestHub;
beforeEach(async () => {
  hub = await startTestHub();
});
afterEach(async () => {
  await closeAgents();
  await hub.stop();
});

const needsGrpcurl = test.skipIf(SKIP_GRPCURL);

function grpcurl(args: string[], input = "") {
  const [method = "", ...flags] = args;
  return runTool("grpcurl", ["-plaintext", ...flags, hub.address, ...method.split(" ")], input);
}

function bufCurl(method: string, agentId: string, input: string) {
  return runTool(
    "buf",
    [
      "curl",
      "--protocol",
      "grpc",
      "--http2-prior-knowledge",
      "-H",
      `claw-agent-id: ${agentId}`,
    ].concat("-d", "@-", `http://${hub.address}/${method}`),
    input,
  );
}

/** The JSON objects in a stream of them, as grpcurl prints them. */
function objectsIn(text: string): Record<string, unknown>[] {
  return text
    .split(/(?<=^})$/m)
    .map((part) => part.trim())
    .filter(Boolean)
    .map((part) => JSON.parse(part));
}

needsGrpcurl(
  "L1: with grpcurl: one piped frame is a whole call, and the agent's session does not notice",
  async () => {
    const session = openAgent(hub.address, "alice", "manual");
    await session.next("sessionStarted");
    const frame = JSON.stringify({ chat_message: { target_agent: "weather", content: "天" } });
    const result = await grpcurl([
      "claw.chat.v1.ChatHub/Connect",
      "-H",
      "claw-agent-id: alice",
      "-d",
      frame,
    ]);
    expect(result).toMatchObject({ code: 0 });
    const [started, answer] = objectsIn(result.stdout);
    expect(started).toMatchObject({ sessionStarted: { agentId: "alice" } });
    expect(answer).toMatchObject({ receipts: [{ seq: "1" }] });
    await session.settled();
    expect(session.responses.some((one) => one.frame?.$case === "goAway")).toBe(false);
  },
);

needsGrpcurl("C3: with grpcurl: a whole conversation with no proto file at hand", async () => {
  await register(hub.address, "weather", "weather-svc");
  const provider = openAgent(hub.address, "weather", "manual");
  const asked = await grpcurl(
    ["claw.chat.v1.ChatHub/Connect", "-H", "claw-agent-id: alice", "-d", "@"],
    '{"chat_request": {"service_id": "weather-svc", "timeout": "60s"}}',
  );
  const [, receipt] = objectsIn(asked.stdout) as { receipts?: { channelId: string }[] }[];
  const channelId = receipt?.receipts?.[0]?.channelId ?? "";
  expect((await provider.next("chatRequest")).channelId).toBe(channelId);
  await provider.store({ $case: "chatAccept", value: { channelId } });
  const talk = [
    { chat_message: { channel_id: channelId, content: "one" } },
    { chat_end: { channel_id: channelId, code: "END_CODE_COMPLETED" } },
    { chat_history: { channel_id: channelId } },
  ];
  const spoken = await grpcurl(
    ["claw.chat.v1.ChatHub/Connect", "-H", "claw-agent-id: alice", "-d", "@"],
    talk.map((frame) => JSON.stringify(frame)).join("\n"),
  );
  expect(spoken.code).toBe(0);
  expect(spoken.stdout).toContain('"CHANNEL_STATE_ENDED"');
  expect(spoken.stdout).toContain('"content": "one"');
  expect((await provider.next("chatEnd")).endedBy).toBe("alice");
});

needsGrpcurl(
  "I5: with grpcurl: reflection lists and describes everything, health answers",
  async () => {
    const listed = await grpcurl(["list"]);
    expect(listed.stdout.split("\n")).toEqual(
      expect.arrayContaining(["claw.chat.v1.ChatHub", "grpc.health.v1.Health"]),
    );
    const described = await grpcurl(["describe claw.chat.v1.ChatRequest"]);
    // An imported type, which a half-fed reflection service loses; and a comment.
    expect(described.stdout).toContain(".google.protobuf.Duration timeout = 8;");
    expect(described.stdout).toContain("// How long the provider has to answer");
    const health = await grpcurl(["grpc.health.v1.Health/Check"]);
    expect(JSON.parse(health.stdout)).toEqual({ status: "SERVING" });
    const named = await grpcurl([
      "grpc.health.v1.Health/Check",
      "-d",
      '{"service": "claw.chat.v1.ChatHub"}',
    ]);
    expect(JSON.parse(named.stdout)).toEqual({ status: "SERVING" });
  },
);

test("L1: with buf curl: unary calls and a session, by reflection alone", async () => {
  const registered = await bufCurl(
    "claw.chat.v1.ChatHub/RegisterService",
    "weather",
    '{"service": {"service_id": "weather-svc", "accept_policy": "ACCEPT_POLICY_AUTO"}}',
  );
  expect(registered).toMatchObject({ code: 0, stderr: "" });
  expect(JSON.parse(registered.stdout).service.openChannelId).toMatch(/^ch_/);
  const sent = await bufCurl(
    "claw.chat.v1.ChatHub/Connect",
    "alice",
    '{"chatMessage": {"serviceId": "weather-svc", "content": "hi"}} {"chatHistory": {"serviceId": "weather-svc"}}',
  );
  expect(sent).toMatchObject({ code: 0, stderr: "" });
  expect(sent.stdout).toContain('"content": "hi"');
});

test("M5: a call to a method that is not there is refused, and the hub goes on", async () => {
  const result = await bufCurl("claw.chat.v1.ChatHub/Nonsense", "alice", "{}");
  expect(result.code).not.toBe(0);
  const agent = openAgent(hub.address, "alice");
  await agent.settled();
});

test("I5: reflection answers tools that speak its older version too", async () => {
  for (const version of ["grpc-v1", "grpc-v1alpha"]) {
    const listed = await runTool("buf", [
      ...["curl", "--protocol", "grpc", "--http2-prior-knowledge"],
      ...["--reflect-protocol", version, "--list-methods", `http://${hub.address}`],
    ]);
    expect(listed, version).toMatchObject({ code: 0 });
    expect(listed.stdout).toContain("claw.chat.v1.ChatHub/Connect");
  }
});
