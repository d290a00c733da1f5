import { randomUUID } from "node:crypto";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Context } from "../../src/hub/context.js";
import type { Caller } from "../../src/hub/credentials.js";
import { listServices } from "../../src/hub/listings.js";
import { registerService } from "../../src/hub/services.js";
import {
  AcceptPolicy,
  ConnectResponse,
  ListServicesRequest,
  Service,
} from "../../src/protocol/wire.js";
import { openSqliteStore } from "../../src/store/sqlite/open.js";
import { startTestHub, type TestHub } from "../support/hub.js";
import { call, closeAgents, openAgent, type RawAgent } from "../support/raw-agent.js";
import { ANY_SERVICE, register, request, say } from "./chat.js";

const AUTO = AcceptPolicy.ACCEPT_POLICY_AUTO;
let hub: TestHub;
beforeEach(async () => {
  hub = await startTestHub();
});
afterEach(async () => {
  await closeAgents();
  await hub.stop();
});

async function services(agentId: string) {
  return (await call(hub.address, agentId, "listServices", ANY_SERVICE)).services;
}

/** Everything that an agent can learn about a service, as the hub's own words. */
async function allThatIsSaid(agent: RawAgent, serviceId: string): Promise<string[]> {
  const value = { serviceId };
  const answers = [
    await agent.ask({ $case: "chatRequest", value }),
    await agent.ask({ $case: "chatRequest", value: { ...value, providerId: "weather" } }),
    await agent.ask({ $case: "chatRequest", value: { ...value, providerId: "nobody" } }),
    await agent.ask({ $case: "chatMessage", value: { ...value, content: "x" } }),
    await agent.ask({
      $case: "chatMessage",
      value: { ...value, targetAgent: "weather", content: "x" },
    }),
    await agent.ask({ $case: "chatHistory", value }),
  ].map((answer) => hex(ConnectResponse.encode({ ...answer, requestId: "" }).finish()));
  const unregistered = await call(hub.address, agent.agentId, "unregisterService", value).catch(
    ({ code, details, metadata }) => {
      // HTTP says what time it is.
      metadata.remove("date");
      return JSON.stringify([code, details, metadata.getMap()]);
    },
  );
  const listed = JSON.stringify((await services(agent.agentId)).map((one) => one.serviceId));
  return [...answers, String(unregistered), listed];
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

test("S3 C7: to whom a service is not for it is as if there were none, to the byte", async () => {
  const eve = openAgent(hub.address, "eve", "manual");
  for (const acceptPolicy of [AUTO, AcceptPolicy.ACCEPT_POLICY_MANUAL]) {
    const serviceId = `svc-${acceptPolicy}`;
    const before = await allThatIsSaid(eve, serviceId);
    expect(before.filter((said) => /SERVICE_NOT_FOUND/.test(said))).toHaveLength(1);
    await register(hub.address, "weather", serviceId, {
      acceptPolicy,
      allowedConsumers: ["friend-*", "alice"],
    });
    expect(await allThatIsSaid(eve, serviceId)).toEqual(before);
  }
  await expect(register(hub.address, "eve", "svc-2")).rejects.toMatchObject({
    details: expect.stringContaining("SERVICE_TAKEN"),
  });
});

test("S3: whom a service is for finds it and asks; only the provider sees the list", async () => {
  const allowedConsumers = ["friend-*", "alice"];
  const registered = await register(hub.address, "weather", "w", { allowedConsumers });
  expect(registered.allowedConsumers).toEqual(allowedConsumers);
  expect(await services("weather")).toMatchObject([{ serviceId: "w", allowedConsumers }]);
  for (const agentId of ["alice", "friend-1", "friend-"]) {
    expect(await services(agentId)).toMatchObject([{ serviceId: "w", allowedConsumers: [] }]);
    await request(openAgent(hub.address, agentId), "w");
  }
  for (const agentId of ["alice2", "friend", "a-friend-1"]) {
    expect(await services(agentId)).toEqual([]);
  }
});

test("S3 M2 C2: when the list changes, chats, requests and repeats go on, and new ones do not begin", async () => {
  const weather = openAgent(hub.address, "weather", "manual");
  const alice = openAgent(hub.address, "alice", "manual");
  await register(hub.address, "weather", "w");
  const active = await request(alice, "w");
  await weather.store({ $case: "chatAccept", value: { channelId: active.channelId } });
  const value = { serviceId: "w", idempotencyKey: "k" };
  const pending = await alice.store({ $case: "chatRequest", value });

  await register(hub.address, "weather", "w", { allowedConsumers: ["bob"] });
  await say(alice, active.channelId, "by channel");
  await alice.store({ $case: "chatMessage", value: { serviceId: "w", content: "by service" } });
  const again = await alice.store({ $case: "chatRequest", value });
  expect(again).toMatchObject({ duplicate: true, channelId: pending.channelId });
  await weather.store({ $case: "chatAccept", value: { channelId: pending.channelId } });
  await say(alice, pending.channelId, "accepted all the same");
  const refused = await alice.refusal({ $case: "chatRequest", value: { serviceId: "w" } });
  expect(refused).toBe("SERVICE_NOT_FOUND");
});

test("S3: thousands of services for others cost pages, are not named in their tokens, and hide none", async () => {
  const store = await openSqliteStore({ path: ":memory:" });
  const env = {
    nowMs: () => 1,
    newId: () => randomUUID(),
    isOnline: () => false,
    directChats: true,
    agentsMustBeKnown: false,
    maxPendingRequests: 0,
    maxChannels: 0,
  };
  const eve: Caller = { agentId: "eve", role: "agent", address: "" };
  await store.transaction(async (tx) => {
    const context: Context = { tx, env, written: [], moved: [], denied: [] };
    const offer = (serviceId: string, allowedConsumers: string[]) =>
      registerService(context, "p", Service.fromPartial({ serviceId, allowedConsumers }));
    for (let count = 0; count < 5_000; count += 1) await offer(`secret-${count}`, ["alice"]);
    await offer("a", []);
    await offer("z", []);
    const found: string[] = [];
    const tokens: string[] = [];
    let pageToken = "";
    do {
      const request = ListServicesRequest.fromPartial({ pageToken });
      const page = await listServices(context, eve, request);
      if ("refusal" in page) throw new Error(page.refusal.message);
      found.push(...page.services.map(({ serviceId }) => serviceId));
      pageToken = page.nextPageToken;
      tokens.push(pageToken);
    } while (pageToken !== "");
    expect(found).toEqual(["a", "z"]);
    expect(tokens).toHaveLength(3);
    for (const token of tokens) {
      expect(Buffer.from(token, "base64url").toString("latin1")).not.toContain("secret");
    }
    const bent = `${tokens[0]?.slice(0, -4)}AAAA`;
    const request = ListServicesRequest.fromPartial({ pageToken: bent });
    expect(await listServices(context, eve, request)).toMatchObject({
      refusal: { reason: "BAD_VALUE" },
    });
  });
  await store.close();
});

test("S3: neither the length of a page nor its token tells of services that are for others", async () => {
  for (const name of ["a", "b", "c", "d"]) await register(hub.address, "weather", name);
  const pages = () =>
    call(hub.address, "eve", "listServices", { ...ANY_SERVICE, pageSize: 2 }).then(
      ({ services: found, nextPageToken }) => [found.map((one) => one.serviceId), nextPageToken],
    );
  const before = await pages();
  for (const name of ["aa", "bb", "bbb", "z"]) {
    await register(hub.address, "weather", name, { allowedConsumers: ["alice"] });
  }
  expect(await pages()).toEqual(before);
});
