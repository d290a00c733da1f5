/**
 * Keeps what a release has written and said, for the tests of later ones:
 * `node scripts/record-release.ts --from <a built checkout of it> --version <its number>`.
 * It runs the hub and the client of that checkout, and fills `test/upgrades/<version>/`.
 */
import { execFileSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import type { ChatClient } from "claw-chat-hub";
import { startHubProcess } from "../proof/support/hub-process.ts";
import { everythingOf } from "../test/upgrades/everything.ts";
import { keptContract } from "../test/upgrades/kept-contract.ts";
import { rawHub } from "../test/upgrades/raw-hub.ts";
import type { ReleaseFacts } from "../test/upgrades/recording.ts";
import { root, run } from "./check/step.ts";
import { openBareSession } from "./record-release/bare-session.ts";
import { beThereAtTheEnd, converse } from "./record-release/converse.ts";
import { AGENTS, fill, type Stage } from "./record-release/fill.ts";
import { startRecordingProxy } from "./record-release/recording-proxy.ts";

const { values } = parseArgs({
  options: { from: { type: "string" }, version: { type: "string" } },
});
const { from, version } = values;
if (from === undefined || version === undefined || !/^\d+\.\d+\.\d+[\w.-]*$/.test(version)) {
  console.error("usage: node scripts/record-release.ts --from <built checkout> --version <1.2.3>");
  process.exit(2);
}
const release = resolve(from);
const target = join(root, "test/upgrades", version);
if (existsSync(target)) {
  console.error(`test/upgrades/${version} is there already: what a release was never changes`);
  process.exit(2);
}

const entry = pathToFileURL(join(release, "dist/src/client/index.js")).href;
const { ChatClient: Client }: { ChatClient: typeof ChatClient } = await import(entry);
const descriptors = readFileSync(join(release, "gen/descriptor.binpb"));
const contract = keptContract(descriptors);
const folder = mkdtempSync(join(tmpdir(), "claw-chat-record-"));

/** Runs a scene at an address, and ends what it has left open. */
async function onStage<T>(address: string, play: (stage: Stage) => Promise<T>): Promise<T> {
  const clients: ChatClient[] = [];
  const raw = rawHub(address);
  try {
    return await play({
      async client(agentId, receive = "none") {
        const client = new Client({ hubUrl: `grpc://${address}`, agentId, receive });
        clients.push(client);
        await client.connect();
        return client;
      },
      bare: (agent, receive) =>
        openBareSession(raw, contract, receive === undefined ? { agent } : { agent, receive }),
    });
  } finally {
    for (const client of clients) await client.disconnect();
    raw.close();
  }
}

function start(db: string) {
  return startHubProcess({ db, command: join(release, "dist/src/cli/main.js") });
}

/** A copy of the kept file, for a hub to go on with. */
function copyOf(kept: string, name: string): string {
  copyFileSync(kept, join(folder, name));
  return join(folder, name);
}

try {
  const kept = join(folder, "kept.db");
  console.error("filling a database");
  const first = await start(kept);
  const filled = await onStage(first.address, fill);
  await first.end("SIGTERM");
  if (existsSync(`${kept}-wal`)) throw new Error("the hub has left a log beside its database");
  const keptAt = new Date().toISOString();

  console.error("asking for everything");
  const shown = await start(copyOf(kept, "shown.db"));
  const asking = rawHub(shown.address);
  const expected = await everythingOf(asking, contract, AGENTS);
  asking.close();
  await shown.end("SIGTERM");

  console.error("recording a conversation");
  const hub = await start(copyOf(kept, "spoken.db"));
  const proxy = await startRecordingProxy(hub.address, contract);
  await onStage(proxy.address, (stage) => converse(stage, filled));
  await onStage(proxy.address, async (stage) => {
    const last = await beThereAtTheEnd(stage);
    proxy.events.push({ event: "stop" });
    await hub.end("SIGTERM");
    await last.ended;
  });
  proxy.stop();

  mkdirSync(target, { recursive: true });
  copyFileSync(kept, join(target, "hub.sqlite"));
  copyFileSync(join(release, "gen/descriptor.binpb"), join(target, "contract.binpb"));
  copyFileSync(join(release, "proto/claw/chat/v1/chat_hub.proto"), join(target, "chat_hub.proto"));
  const lines = proxy.events.map((event) => JSON.stringify(event));
  writeFileSync(join(target, "conversation.jsonl"), `${lines.join("\n")}\n`);
  const facts: ReleaseFacts = {
    commit: execFileSync("git", ["-C", release, "rev-parse", "HEAD"], { encoding: "utf8" }).trim(),
    keptAt,
    schema: schemaOf(kept),
    agents: AGENTS,
  };
  writeFileSync(join(target, "release.json"), JSON.stringify(facts));
  writeFileSync(join(target, "expected.json"), JSON.stringify(expected));
  const formatted = await run("biome", ["check", "--write", target]);
  if (!formatted.ok) throw new Error(formatted.output);
  console.log(`recorded test/upgrades/${version}: events=${lines.length} schema=${facts.schema}`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function schemaOf(file: string): number {
  const db = new DatabaseSync(file, { readOnly: true });
  try {
    return Number(db.prepare("PRAGMA user_version").get()?.user_version);
  } finally {
    db.close();
  }
}
