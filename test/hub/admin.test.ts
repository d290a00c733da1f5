import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Answer } from "../../src/hub/answer.js";
import type { AuditEvent } from "../../src/hub/audit.js";
import type { Written } from "../../src/hub/context.js";
import type { Caller, Role } from "../../src/hub/credentials.js";
import { HUB_AUTHOR } from "../../src/hub/entry.js";
import { handleFrame } from "../../src/hub/frame.js";
import { listChannels } from "../../src/hub/listings.js";
import type { RequestFrame } from "../../src/protocol/frame-rules.js";
import { sentMessageOf } from "../../src/protocol/sent-message.js";
import {
  ChannelState,
  ChatAccept,
  ChatEnd,
  ChatHistory,
  ChatMessage,
  ChatReject,
  ChatRequest,
  EndCode,
  ListChannelsRequest,
} from "../../src/protocol/wire.js";
import { createTurns, type Job, type Turns } from "../../src/server/turns.js";
import { openSqliteStore } from "../../src/store/sqlite/open.js";
import { verifyDatabase } from "../../src/store/sqlite/verify.js";

const ADDRESS = "192.0.2.7:4711";
let folder: string;
let store: Awaited<ReturnType<typeof openSqliteStore>>;
let turns: Turns;
let told: Written[];
/** What happened, in its order: answers and notes for the audit log. */
let events: (Answer["kind"] | AuditEvent)[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "claw-chat-admin-"));
  store = await openSqliteStore({ path: join(folder, "hub.db") });
  told = [];
  events = [];
  turns = createTurns({
    store,
    env: {
      nowMs: () => 1_000,
      newId: (prefix) => `${prefix}_${randomUUID()}`,
      isOnline: () => false,
      directChats: true,
      agentsMustBeKnown: false,
      maxPendingRequests: 0,
      maxChannels: 0,
    },
    log: pino({ level: "silent" }),
    deliver: (written) => told.push(written),
    progressed: () => {},
    denied: (event) => events.push(event),
    settled: () => {},
  });
});
afterEach(async () => {
  await store.close();
  await rm(folder, { recursive: true });
});

const callerOf = (agentId: string, role: Role): Caller => ({ agentId, role, address: ADDRESS });

function submit<T>(run: Job<T>["run"], done: (result: T) => void = () => {}): Promise<T> {
  return new Promise((resolve, reject) => {
    turns.submit<T>({
      address: ADDRESS,
      run,
      done(result) {
        done(result);
        resolve(result);
      },
      failed: (refusal) => reject(new Error(refusal.reason)),
    });
  });
}

function say(agentId: string, frame: RequestFrame, role: Role = "agent"): Promise<Answer> {
  return submit(
    (context) => handleFrame(context, callerOf(agentId, role), frame),
    (answer) => events.push(answer.kind),
  );
}

const request = (providerId: string): RequestFrame => ({
  $case: "chatRequest",
  value: ChatRequest.fromPartial({ providerId }),
});
const end = (channelId: string): RequestFrame => ({
  $case: "chatEnd",
  value: ChatEnd.fromPartial({ channelId, reason: "enough", code: EndCode.END_CODE_COMPLETED }),
});
const history = (channelId: string): RequestFrame => ({
  $case: "chatHistory",
  value: ChatHistory.fromPartial({ channelId }),
});

async function chat(): Promise<string> {
  const answer = await say("alice", request("bob"));
  if (answer.kind !== "receipt") throw new Error("no chat");
  return answer.receipt.channelId;
}

const audited = () =>
  store.transaction(async (tx) =>
    (await tx.auditLog({ limit: 100 })).reverse().map(({ id: _, ...event }) => event),
  );

test("C7 C8: an admin ends a chat in the hub's name, both members hear of it, and the log is sound", async () => {
  const [pending, active] = [await chat(), await chat()];
  await say("bob", { $case: "chatAccept", value: ChatAccept.fromPartial({ channelId: active }) });
  for (const channelId of [pending, active]) {
    const ended = await say("root", end(channelId), "admin");
    expect(ended).toMatchObject({ kind: "receipt", receipt: { channelId, duplicate: false } });
    const written = told.at(-1);
    expect(written?.entry).toMatchObject({ kind: "chatEnd", author: HUB_AUTHOR });
    expect(ChatEnd.decode(written?.entry.body ?? new Uint8Array())).toMatchObject({
      reason: "enough",
      code: EndCode.END_CODE_POLICY,
      endedBy: "",
    });
    expect(written?.channel).toMatchObject({
      state: ChannelState.CHANNEL_STATE_ENDED,
      endCode: EndCode.END_CODE_POLICY,
      provider: { due: written?.entry.seq },
      consumer: { due: written?.entry.seq },
    });
    // A repeat ends nothing, and is not noted as if it had.
    expect(await say("root", end(channelId), "admin")).toMatchObject({
      receipt: { duplicate: true },
    });
  }
  expect(await say("bob", end(pending))).toMatchObject({ receipt: { duplicate: true } });
  const what = { atMs: 1_000, event: "admin_end", actor: "root", agentId: "", address: ADDRESS };
  expect(await audited()).toEqual([
    { ...what, channelId: pending, detail: "" },
    { ...what, channelId: active, detail: "" },
  ]);
  const path = join(folder, "hub.db");
  const violations: string[] = [];
  verifyDatabase(path, (violation) => violations.push(violation));
  expect(violations).toEqual([]);
});

test("C7: an admin who is a member acts as the member, and unaudited", async () => {
  const answer = await say("root", request("bob"), "admin");
  const channelId = answer.kind === "receipt" ? answer.receipt.channelId : "";
  await say("root", history(channelId), "admin");
  await say("root", end(channelId), "admin");
  expect(ChatEnd.decode(told.at(-1)?.entry.body ?? new Uint8Array())).toMatchObject({
    endedBy: "root",
    code: EndCode.END_CODE_COMPLETED,
  });
  expect(await audited()).toEqual([]);
});

test("C7: an admin reads any chat and lists everybody's, does nothing else there, and it is noted", async () => {
  const channelId = await chat();
  const page = await say("root", history(channelId), "admin");
  expect(page).toMatchObject({ kind: "page", page: { channel: { channelId } } });
  for (const memberId of ["*", "bob"]) {
    const listed = await submit((context) =>
      listChannels(
        context,
        callerOf("root", "admin"),
        ListChannelsRequest.fromPartial({ memberId }),
      ),
    );
    expect(listed).toMatchObject({ channels: [{ channelId, providerId: "bob" }] });
  }
  const value = { channelId };
  for (const frame of [
    { $case: "chatAccept", value: ChatAccept.fromPartial(value) },
    {
      $case: "chatMessage",
      value: sentMessageOf(ChatMessage.fromPartial({ ...value, content: "x" })),
    },
  ] satisfies RequestFrame[]) {
    expect(await say("root", frame, "admin")).toMatchObject({
      refusal: { reason: "CHANNEL_NOT_FOUND" },
    });
  }
  const rows = await audited();
  expect(rows.map(({ event, agentId, channelId: where }) => [event, agentId, where])).toEqual([
    ["admin_read", "", channelId],
    ["admin_list", "*", ""],
    ["admin_list", "bob", ""],
  ]);
});

test("C7: what an admin may not do, or not yet, is not noted as done", async () => {
  const channelId = await chat();
  await say("bob", { $case: "chatReject", value: ChatReject.fromPartial({ channelId }) });
  expect(await say("root", end(channelId), "admin")).toMatchObject({ kind: "refusal" });
  expect(await say("root", history("ch_none"), "admin")).toMatchObject({ kind: "refusal" });
  expect(await audited()).toEqual([]);
});

test("C7 S3: who names what exists and is not theirs is noted after the answer; what is not there is not", async () => {
  const channelId = await chat();
  events = [];
  for (const named of [channelId, "ch_none"]) {
    expect(await say("eve", end(named))).toMatchObject({
      refusal: { reason: "CHANNEL_NOT_FOUND", message: `you have no channel "${named}"` },
    });
  }
  expect(events).toEqual([
    "refusal",
    {
      ...{ atMs: 1_000, event: "access_denied", actor: "eve", agentId: "", channelId },
      ...{ address: ADDRESS, detail: "CHANNEL_NOT_FOUND" },
    },
    "refusal",
  ]);
});
