import { join } from "node:path";
import {
  Client,
  compressionAlgorithms,
  credentials,
  Metadata,
  type ServiceError,
} from "@grpc/grpc-js";
import { afterAll, beforeAll, expect, test } from "vitest";
import { FLOODS } from "../../proof/fuzz/floods.ts";
import {
  CONNECT,
  callHeaders,
  LIST_CHANNELS,
  PREFACE,
  rstStream,
  settings,
} from "../../proof/fuzz/frames.ts";
import { hostileSocket } from "../../proof/fuzz/hostile-socket.ts";
import { MEMORY_FLAGS, residentMib } from "../../proof/fuzz/memory.ts";
import { type HubProcess, startHubProcess } from "../../proof/support/hub-process.ts";
import { endCli, testFolder } from "../support/cli.js";
import { closeAgents, openAgent, type RawAgent } from "../support/raw-agent.js";

/** How much of each flood; `npm run fuzz` has more. */
const SHARE = 0.1;
const ALLOWED_GROWTH_MIB = 32;

let hub: HubProcess;
let control: RawAgent;
beforeAll(async () => {
  hub = await startHubProcess({
    db: join(testFolder(), "hub.db"),
    // The control sends one now and then, and may be silent for long on a slow machine.
    args: ["--log-level", "error", "--heartbeat-interval", "3600"],
    nodeArgs: MEMORY_FLAGS,
  });
  control = openAgent(hub.address, "control", "manual");
  await control.next("sessionStarted");
});
afterAll(async () => {
  await closeAgents();
  expect(await hub.end("SIGTERM")).toEqual({ code: 0, signal: null });
  await endCli();
});

test.each(Object.keys(FLOODS))("M5: under a flood of %s the hub serves on", async (name) => {
  const sent = await FLOODS[name]?.(hub.address, SHARE);
  expect(sent).toBeGreaterThan(0);
  await control.settled();
});

test("M5: what floods have taken of the machine's memory is given back", async () => {
  const { mib: beforeMib } = await residentMib(hub);
  for (const flood of Object.values(FLOODS)) await flood(hub.address, SHARE);
  const { mib: afterMib } = await residentMib(hub, beforeMib + ALLOWED_GROWTH_MIB / 2);
  expect(afterMib - beforeMib).toBeLessThan(ALLOWED_GROWTH_MIB);
  await control.settled();
}, 120_000);

test("M5: a call of an unknown method that is reset in the same breath is nobody's end", async () => {
  for (const headers of [
    (stream: number) => callHeaders(stream, "/no.such/Method"),
    (stream: number) => callHeaders(stream, CONNECT, [["content-type", "text/plain"]]),
    (stream: number) => callHeaders(stream, CONNECT),
  ]) {
    const socket = await hostileSocket(hub.address);
    const calls = [1, 3, 5, 7, 9].flatMap((stream) => [headers(stream), rstStream(stream)]);
    await socket.say(Buffer.concat([PREFACE, settings(), ...calls]));
    await socket.settled();
    await socket.cut();
  }
  await control.settled();
});

test("M5: a compressed request is refused before anything of it is decompressed", async () => {
  const client = new Client(hub.address, credentials.createInsecure(), {
    "grpc.default_compression_algorithm": compressionAlgorithms.gzip,
  });
  const metadata = new Metadata();
  metadata.set("claw-agent-id", "alice");
  const bytes = (value: Buffer) => value;
  const refusal = await new Promise<ServiceError | null>((resolve) => {
    client.makeUnaryRequest(LIST_CHANNELS, bytes, bytes, Buffer.alloc(100), metadata, resolve);
  });
  client.close();
  expect(refusal).toMatchObject({ code: 12, details: expect.stringContaining("not compressed") });
});
