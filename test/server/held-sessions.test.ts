import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, expect, test } from "vitest";
import {
  CONNECT,
  callHeaders,
  FRAME,
  frame,
  headerBlock,
  PREFACE,
  settings,
} from "../../proof/fuzz/frames.ts";
import { hostileSocket } from "../../proof/fuzz/hostile-socket.ts";
import { type HubProcess, startHubProcess } from "../../proof/support/hub-process.ts";
import { endCli, testFolder } from "../support/cli.js";

const COLLECTING = fileURLToPath(new URL("../support/collect-when-told.ts", import.meta.url));
const UNREAD_STREAM = fileURLToPath(new URL("../support/unread-stream.ts", import.meta.url));

afterAll(endCli);

test("M5: a session that half a header block has ended is collected without harm", async () => {
  const told = join(testFolder(), "told");
  const hub = await startHubProcess({
    db: join(testFolder(), "hub.db"),
    args: ["--log-level", "error"],
    nodeArgs: ["--expose-gc", "--import", COLLECTING],
    env: { COLLECT_WHEN: told },
  });
  const socket = await hostileSocket(hub.address);
  await socket.say(Buffer.concat([PREFACE, settings(), callHeaders(1, CONNECT)]));
  await socket.settled();
  hub.child.kill("SIGUSR2");
  await says(hub, "waiting");
  const half = frame(FRAME.headers, 0, 1, headerBlock([["x-large", "x".repeat(300)]]));
  const ping = frame(FRAME.ping, 0, 0, Buffer.alloc(8));
  await socket.say(Buffer.concat([half, ping]));
  writeFileSync(told, "");
  await says(hub, "collected");
  await socket.closed;
  expect(await hub.end("SIGTERM")).toEqual({ code: 0, signal: null });
});

test("M5: a stream that ended while its answer was not read is no harm to its session", async () => {
  // Node.js would end by a signal.
  const { stdout } = await promisify(execFile)(process.execPath, ["--expose-gc", UNREAD_STREAM]);
  expect(stdout).toBe("collected\n");
});

async function says(hub: HubProcess, word: string): Promise<void> {
  const heard = new Promise<void>((resolve) => {
    const look = () => {
      if (hub.log().includes(word)) resolve();
    };
    hub.child.stderr?.on("data", look);
    look();
  });
  const ended = hub.ended.then(() => {
    throw new Error(`the hub ended: ${hub.log()}`);
  });
  await Promise.race([heard, ended]);
}
