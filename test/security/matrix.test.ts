import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import Database from "better-sqlite3";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { startTestHub, type TestHub } from "../support/hub.js";
import { closeAgents } from "../support/raw-agent.js";
import { attempt } from "./attempts.js";
import {
  CALLERS,
  type Caller,
  type ChatState,
  expected,
  matrixTable,
  OPERATIONS,
  STATES,
} from "./matrix.js";
import { actorOf, giveKeys, type Keys, type Scene, setScene } from "./scene.js";

let hub: TestHub;
let keys: Keys;
let file: Database.Database;
beforeAll(async () => {
  // So many are refused from one address here that all of them would be put off.
  hub = await startTestHub({ auth: "required", maxFailedLoginsPerMinute: 0 });
  keys = await giveKeys(hub);
  file = new Database(hub.dbPath, { readonly: true });
});
afterEach(closeAgents);
afterAll(async () => {
  file.close();
  await hub.stop();
});

/** Everything stored of a chat: what nobody but its members and an admin may change. */
function storedOf({ channelId }: Scene): unknown {
  const channel = file.prepare("SELECT * FROM channels WHERE channel_id = ?").get(channelId);
  const entries = file.prepare(
    `SELECT seq, author, kind FROM entries
      WHERE channel = (SELECT id FROM channels WHERE channel_id = ?)`,
  );
  return { channel, entries: entries.all(channelId) };
}

/** Those who can change nothing about a chat, which is checked, may have one stage together. */
const INSIDERS: readonly Caller[] = ["consumer", "provider", "admin"];

describe.each(OPERATIONS)("C7 I1: %s", (operation) => {
  const shared = new Map<ChatState, Scene>();
  async function sceneFor(caller: Caller, state: ChatState): Promise<Scene> {
    const scene = shared.get(state);
    if (scene !== undefined && !INSIDERS.includes(caller)) return scene;
    const made = await setScene(hub, keys, state);
    shared.set(state, made);
    return made;
  }

  test.each(CALLERS)("by %s", async (caller) => {
    const came: Record<string, string> = {};
    const wanted: Record<string, string> = {};
    for (const state of STATES) {
      const scene = await sceneFor(caller, state);
      const before = storedOf(scene);
      came[state] = await attempt(operation, scene, actorOf(caller, scene, keys));
      wanted[state] = expected(operation, caller, state);
      if (!INSIDERS.includes(caller)) expect(storedOf(scene)).toEqual(before);
    }
    expect(came).toEqual(wanted);
  });
});

test("docs/security.md prints the matrix", () => {
  const text = readFileSync(
    fileURLToPath(new URL("../../docs/security.md", import.meta.url)),
    "utf8",
  );
  const begin = "<!-- matrix:begin, printed from test/security/matrix.ts -->\n";
  const end = "<!-- matrix:end -->";
  expect(text).toContain(begin);
  const printed = text.slice(text.indexOf(begin) + begin.length, text.indexOf(end)).trim();
  expect(printed, `between the markers belongs:\n\n${matrixTable()}\n`).toBe(matrixTable());
});
