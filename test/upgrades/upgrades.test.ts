import { copyFileSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { JsonObject } from "@bufbuild/protobuf";
import Database from "better-sqlite3";
import { describe, expect, onTestFinished, test } from "vitest";
import { MIGRATIONS } from "../../src/store/sqlite/migrations.js";
import { openSqliteStore } from "../../src/store/sqlite/open.js";
import { aFolder } from "../store/a-folder.js";
import { changesBetween } from "./contract-changes.js";
import { everythingOf, type Shown } from "./everything.js";
import { type Plain, plainWords } from "./heard.js";
import { type KeptContract, keptContract, type ReadMessage } from "./kept-contract.js";
import { listen } from "./listening.js";
import { type RawHub, rawHub } from "./raw-hub.js";
import { type KeptRelease, keptReleases } from "./releases.js";
import { recordedTranscript, replay } from "./replay.js";
import { upgradedHub } from "./upgraded-hub.js";

const SOON_MS = 60_000;
/** No request waits longer than 7 days (C4). */
const LATE_MS = 8 * 24 * 3_600_000;

const releases = keptReleases();
const today = keptContract(readFileSync(join(import.meta.dirname, "../../gen/descriptor.binpb")));
/** Fields that came after the first kept contract; every hub sends them. */
const LIMITS = numberOf("SessionStarted", "limits");
const PROGRESS = numberOf("ConnectResponse", "progress");

test("there is a kept release", () => {
  expect(releases.length).toBeGreaterThan(0);
});

describe.each(releases)("$version", (release) => {
  const { contract, conversation, agents } = release;

  test("its database is opened, is sound and shows what it showed", async () => {
    const hub = await upgradedHub(release, SOON_MS);
    const raw = rawHub(hub.address);
    const shown = await everythingOf(raw, contract, agents);
    raw.close();
    await hub.stop();
    expect(shown).toEqual(release.expected);
    expect(hub.violations()).toEqual([]);
  });

  test("its database has the schema of a new one then, and was copied before", async () => {
    const hub = await upgradedHub(release, SOON_MS);
    await hub.stop();
    const fresh = join(aFolder(), "new.db");
    await (await openSqliteStore({ path: fresh })).close();
    expect(schemaOf(hub.database)).toEqual(schemaOf(fresh));
    expect(schemaOf(release.database).version).toBe(release.schema);
    expect(existsSync(`${hub.database}.v${release.schema}.bak`)).toBe(
      release.schema < MIGRATIONS.length,
    );
  });

  test("M2, C2, D1: its clients go on with their conversation, and hear what they heard", async () => {
    const { address, stop, violations } = await upgradedHub(release, SOON_MS);
    const then = recordedTranscript(conversation, contract, plainWordsOf(release));
    const plain = plainWordsOf(release);
    const now = await replay(conversation, { address, contract, plain, stop });
    expect(now.sessions).toEqual(then.sessions);
    expect(now.calls).toEqual(then.calls);
    expect([...then.unknown]).toEqual([]);
    expect(violations()).toEqual([]);
  });

  test("C4, C8: what has waited too long meanwhile expires, and nothing else changes", async () => {
    const hub = await upgradedHub(release, LATE_MS);
    const raw = rawHub(hub.address);
    onTestFinished(() => raw.close());
    const before = channelsOf(release.expected);
    const waiting = before.filter(isWaiting);
    expect(waiting.length).toBeGreaterThan(0);
    for (const { channelId, providerId, consumerId } of waiting) {
      for (const member of [providerId, consumerId]) {
        const rejects = await rejectsIn(raw, contract, { agent: String(member), channelId });
        expect(rejects).toMatchObject([{ code: "REJECT_CODE_EXPIRED", seq: "2" }]);
      }
    }
    const after = channelsOf(await everythingOf(raw, contract, agents));
    expect(after).toEqual(
      before.map((channel) => (isWaiting(channel) ? expect.objectContaining(EXPIRED) : channel)),
    );
    await hub.stop();
    expect(hub.violations()).toEqual([]);
  });

  test("its clients leave aside what they do not know", async () => {
    const hub = await upgradedHub(release, SOON_MS);
    const raw = rawHub(hub.address);
    onTestFinished(() => raw.close());
    const reader = listen(raw, contract, "new-reader");
    const writer = listen(raw, contract, "new-writer");
    const chatMessage = { targetAgent: "new-reader", content: "Read this." };
    const greeting = await reader.until(({ json }) => json.sessionStarted !== undefined);
    const { limits } = greeting.json.sessionStarted as { limits?: JsonObject };
    expect(greeting.unknown.includes(LIMITS)).toBe(limits === undefined);
    writer.session.send(contract.encode("ConnectRequest", { chatMessage }));
    const { json } = await reader.until((response) => response.json.chatMessage !== undefined);
    expect(json.chatMessage).toMatchObject({ content: "Read this.", seq: "1" });
    const { channelId } = json.chatMessage as { channelId: string };
    reader.session.send(contract.encode("ConnectRequest", { acks: [{ channelId, seq: 1 }] }));

    const told = await writer.until(({ json, unknown }) => {
      return json.progress !== undefined || unknown.includes(PROGRESS);
    });
    const knows = contract.framesOf("ConnectResponse").includes("progress");
    expect(told.json.progress !== undefined).toBe(knows);
    await hub.stop();
    expect(hub.violations()).toEqual([]);
  });

  test("its recording shows every frame, every state and every call", () => {
    const requests = conversation.filter((line) => line.event === "request");
    const responses = conversation.filter((line) => line.event === "response");
    const framesIn = (type: string, lines: { bytes: string }[]) =>
      lines.flatMap(({ bytes }) => {
        const { json } = contract.decode(type, Buffer.from(bytes, "base64"));
        return Object.keys(json).filter((key) => contract.framesOf(type).includes(key));
      });
    const sorted = (words: string[]) => [...new Set(words)].toSorted();
    expect(sorted(framesIn("ConnectRequest", requests))).toEqual(
      sorted(contract.framesOf("ConnectRequest")),
    );
    // When positions are told, and how many at once, is nothing to compare.
    expect(sorted([...framesIn("ConnectResponse", responses), "progress"])).toEqual(
      sorted([...contract.framesOf("ConnectResponse"), "progress"]),
    );
    const states = contract.registry.getEnum("claw.chat.v1.ChannelState")?.values ?? [];
    expect(sorted(channelsOf(release.expected).map(({ state }) => String(state)))).toEqual(
      sorted(states.filter(({ number }) => number > 0).map(({ name }) => name)),
    );
    const calls = conversation.flatMap((line) => (line.event === "call" ? [line.method] : []));
    expect(sorted([...calls, "Connect"])).toEqual(sorted(contract.methods.map(({ name }) => name)));
    const { sessions } = recordedTranscript(conversation, contract, plainWordsOf(release));
    const receipts = sessions.flatMap(({ answers }) => Object.values(answers).flat());
    const repeats = receipts.filter((answer) =>
      JSON.stringify(answer).includes('"duplicate":true'),
    );
    expect(repeats.length).toBeGreaterThan(3);
  });

  test("nothing of its contract has another meaning now", () => {
    expect(changesBetween(contract.registry, today.registry)).toEqual([]);
  });
});

/** The number of a field of today's contract. */
function numberOf(type: string, name: string): number {
  const fields = today.registry.getMessage(`claw.chat.v1.${type}`)?.fields ?? [];
  const field = fields.find((one) => one.name === name);
  if (field === undefined) throw new Error(`${type} has no field ${name}`);
  return field.number;
}

const EXPIRED = {
  state: "CHANNEL_STATE_REJECTED",
  rejectCode: "REJECT_CODE_EXPIRED",
  lastSeq: "2",
};

/** Every channel that was shown, once. */
function channelsOf(shown: readonly Shown[]): JsonObject[] {
  const all = shown.flatMap(({ channels }) => (channels.channels ?? []) as JsonObject[]);
  return [...new Map(all.map((channel) => [channel.channelId, channel])).values()];
}

function isWaiting({ state }: JsonObject): boolean {
  return state === "CHANNEL_STATE_REQUESTED";
}

/** The rejects of a channel that an agent is delivered: one comes, and those that came besides. */
async function rejectsIn(
  hub: RawHub,
  contract: KeptContract,
  of: { agent: string; channelId: unknown },
): Promise<unknown[]> {
  const { until, heard, session } = listen(hub, contract, of.agent);
  const rejectOf = ({ json }: ReadMessage) => json.chatReject as JsonObject | undefined;
  await until((response) => rejectOf(response)?.channelId === of.channelId);
  session.halfClose();
  await session.ended;
  return heard.map(rejectOf).filter((reject) => reject?.channelId === of.channelId);
}

/** What is in the file or was said by a client is old; what the hub makes up later is not. */
function plainWordsOf({ database, conversation, keptAt }: KeptRelease): Plain {
  const said = conversation.flatMap((line) =>
    line.event === "request" ? [Buffer.from(line.bytes, "base64")] : [],
  );
  const old = [readFileSync(database), ...said];
  const isOld = (name: string) => old.some((bytes) => bytes.includes(name));
  return plainWords({ isOld, keptAtMs: Date.parse(keptAt) });
}

/** Of a copy: looking at a file may leave others beside it. */
function schemaOf(path: string): { version: number; sql: unknown[] } {
  const copy = join(aFolder(), "copy.db");
  copyFileSync(path, copy);
  const db = new Database(copy);
  try {
    return {
      version: Number(db.pragma("user_version", { simple: true })),
      sql: db.prepare("SELECT type, name, sql FROM sqlite_schema ORDER BY name").all(),
    };
  } finally {
    db.close();
  }
}
