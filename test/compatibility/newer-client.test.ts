import { readFileSync } from "node:fs";
import type { JsonObject } from "@bufbuild/protobuf";
import { afterEach, beforeEach, expect, test } from "vitest";
import { startTestHub, type TestHub } from "../support/hub.js";
import { changesBetween } from "../upgrades/contract-changes.js";
import { keptContract } from "../upgrades/kept-contract.js";
import { type Listening, listen } from "../upgrades/listening.js";
import { type RawHub, rawHub } from "../upgrades/raw-hub.js";
import { doctoredContract } from "./doctored-contract.js";

/** Of a version to come: the clients of these tests have it, the hub does not. */
const later = doctoredContract();
const seal = { by: "the hub", numbers: ["1", "2"] };

let hub: TestHub;
let raw: RawHub;
beforeEach(async () => {
  hub = await startTestHub();
  raw = rawHub(hub.address);
});
afterEach(async () => {
  raw.close();
  await hub.stop();
});

test("the doctored contract only adds to today's", () => {
  const today = keptContract(readFileSync(new URL("../../gen/descriptor.binpb", import.meta.url)));
  expect(changesBetween(today.registry, later.registry)).toEqual([]);
  expect(later.framesOf("ConnectRequest")).toContain("chatTyping");
  expect(today.framesOf("ConnectRequest")).not.toContain("chatTyping");
});

test("M5: a frame of a newer client is refused as EMPTY_FRAME, and the session goes on", async () => {
  const { ask, session } = opened("alice");
  for (const frame of [{ chatTyping: { channelId: "c" } }, { chatEdit: { content: "x" } }]) {
    expect(await ask(frame)).toMatchObject({ error: { reason: "EMPTY_FRAME", code: 3 } });
  }
  // Nor do its companions pass for it: no ack is taken, no heartbeat answered in its place.
  const { receipts } = await ask({ chatMessage: { targetAgent: "bob", content: "hi" } });
  const [{ channelId = "" } = {}] = receipts as { channelId?: string }[];
  const bob = opened("bob");
  await bob.heard.until(({ json }) => json.chatMessage !== undefined);
  const companions = { acks: [{ channelId, seq: "1" }], heartbeat: true };
  const refused = await bob.ask({ ...companions, chatTyping: { channelId } });
  expect(refused).toMatchObject({ error: { reason: "EMPTY_FRAME" } });
  const { channels } = await call("ListChannels", "bob", {});
  expect(channels).toMatchObject([{ positions: [{ agentId: "bob" }, { agentId: "alice" }] }]);
  expect(JSON.stringify(channels)).not.toContain('"agentId":"bob","ackedSeq"');
  session.halfClose();
  expect(await session.ended).toMatchObject({ code: 0 });
});

test("I5: fields of a newer client are dropped, in sessions, calls and what is kept", async () => {
  const service = { serviceId: "svc", wish: "w", seal, acceptPolicy: "ACCEPT_POLICY_AUTO" };
  expect(await call("RegisterService", "bob", { service })).not.toHaveProperty("service.seal");
  const alice = opened("alice");
  const bob = opened("bob");
  const own = { wish: "w", seal };
  const frames: JsonObject[] = [
    { chatRequest: { ...own, serviceId: "svc" } },
    { chatMessage: { ...own, serviceId: "svc", content: "one" } },
    { chatRequest: { ...own, providerId: "bob" } },
  ];
  for (const frame of frames) {
    const answer = await alice.ask({ ...frame, traceId: "t", seal });
    expect(answer).toHaveProperty("receipts");
  }
  const direct = await bob.heard.until(
    ({ json }) => json.chatRequest !== undefined && !("serviceId" in (json.chatRequest as object)),
  );
  const { channelId = "" } = direct.json.chatRequest as { channelId?: string };
  await bob.ask({ chatAccept: { ...own, channelId } });
  await bob.ask({ chatEnd: { ...own, channelId } });
  await alice.heard.until(({ json }) => json.chatEnd !== undefined);
  const page = await alice.ask({ chatHistory: { serviceId: "svc" } });
  expect(page).toMatchObject({ chatHistory: { messages: [{ content: "one" }] } });
  // Whatever a later hub will say in these fields, nobody has said it before.
  const said = [...alice.heard.heard, ...bob.heard.heard].map(({ json }) => JSON.stringify(json));
  expect(said.length).toBeGreaterThan(9);
  expect(said.filter((json) => /"(wish|seal|traceId|hubClock)"/.test(json))).toEqual([]);
});

test("I5: a code of a newer client is carried, unless its number is kept for hubs", async () => {
  const alice = opened("alice");
  const bob = opened("bob");
  const answers: [frame: "chatReject" | "chatEnd", code: string, hubCode: string][] = [
    ["chatReject", "REJECT_CODE_TOO_DEAR", "REJECT_CODE_QUARANTINED"],
    ["chatEnd", "END_CODE_MOVED", "END_CODE_SEIZED"],
  ];
  for (const [frame, code, hubCode] of answers) {
    const asked = { [frame === "chatEnd" ? "chatMessage" : "chatRequest"]: directTo("bob", frame) };
    const { receipts } = await alice.ask(asked);
    const [{ channelId = "" } = {}] = receipts as { channelId?: string }[];
    for (const kept of [hubCode, -1]) {
      expect(await bob.ask({ [frame]: { channelId, code: kept } })).toMatchObject({
        error: { reason: "HUB_FIELD_SET" },
      });
    }
    expect(await bob.ask({ [frame]: { channelId, code } })).toHaveProperty("receipts");
    const told = await alice.heard.until(({ json }) => json[frame] !== undefined);
    expect(told.json[frame]).toMatchObject({ channelId, code });
    const { channels } = await call("ListChannels", "alice", {});
    expect(channels).toContainEqual(
      expect.objectContaining({
        channelId,
        [frame === "chatEnd" ? "endCode" : "rejectCode"]: code,
      }),
    );
  }
});

test("I5: a setting of a newer client by which the hub would have to act is refused", async () => {
  const service = { serviceId: "svc", acceptPolicy: "ACCEPT_POLICY_AUCTION" };
  expect(await call("RegisterService", "bob", { service })).toEqual({
    code: 3,
    reason: "BAD_VALUE",
  });
  expect(await call("ListChannels", "bob", { state: "CHANNEL_STATE_PAUSED" })).toEqual({
    code: 3,
    reason: "BAD_VALUE",
  });
});

test("M5: a call of a newer client is refused as unimplemented", async () => {
  const bytes = later.encode("ListServicesRequest", {});
  expect(await raw.call("ListMoods", "bob", bytes)).toMatchObject({ code: 12 });
  expect(await call("ListServices", "bob", {})).toEqual({});
});

function directTo(agent: string, frame: string): JsonObject {
  return frame === "chatEnd" ? { targetAgent: agent, content: "hi" } : { providerId: agent };
}

/** A receiving session of a newer client. */
function opened(agent: string) {
  const heard: Listening = listen(raw, later, agent);
  let count = 0;
  return {
    heard,
    session: heard.session,
    /** Sends a request, and waits for its answer. */
    async ask(request: JsonObject): Promise<JsonObject> {
      count += 1;
      const requestId = `${agent}-${count}`;
      heard.session.send(later.encode("ConnectRequest", { requestId, ...request }));
      const isAnswer = ({ requestId: id, receipts = [] }: JsonObject) =>
        [id, ...(receipts as JsonObject[]).map((one) => one.requestId)].includes(requestId);
      return (await heard.until(({ json }) => isAnswer(json))).json;
    },
  };
}

/** A plain call of a newer client: what it is answered, or the status. */
async function call(method: string, agent: string, request: JsonObject): Promise<JsonObject> {
  const answer = await raw.call(method, agent, later.encode(`${method}Request`, request));
  if (!Buffer.isBuffer(answer)) return { ...answer };
  return later.decode(`${method}Response`, answer).json;
}
