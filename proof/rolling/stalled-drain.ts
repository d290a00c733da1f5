import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ChannelCredentials } from "@grpc/grpc-js";
import { ChatClient } from "claw-chat-hub";
import { ChatHubClient, type ConnectResponse } from "claw-chat-hub/protocol";
import { callerOf } from "../crash/bare-session.ts";
import { startHubProcess } from "../support/hub-process.ts";

/** How a hub ended that an agent kept waiting: one that does not read what it is sent. */
export interface StalledEnd {
  code: number | null;
  signal: string | null;
  /** From the first signal. */
  stopMs: number;
}

/** More than connection and stub take, so that the hub has something it cannot get rid of. */
const MESSAGES = 60;
const MESSAGE_CHARS = 16 * 1024;

/**
 * Sends SIGTERM to a hub that waits for a stalled reader; where a second signal is named, that one
 * as well, once the hub has begun to go away.
 */
export async function endStalledHub(second: NodeJS.Signals | undefined): Promise<StalledEnd> {
  const folder = await mkdtemp(join(tmpdir(), "claw-chat-stalled-"));
  const hub = await startHubProcess({ db: join(folder, "hub.db") });
  const stub = new ChatHubClient(hub.address, ChannelCredentials.createInsecure());
  try {
    const sender = new ChatClient({ hubUrl: `grpc://${hub.address}`, agentId: "sender" });
    await sender.connect();
    for (let count = 0; count < MESSAGES; count += 1) {
      await sender.sendMessage({ targetAgent: "stalled", content: "x".repeat(MESSAGE_CHARS) });
    }
    await sender.disconnect();
    const caller = callerOf("stalled");
    caller.set("claw-receive", "manual");
    const stream = stub.connect(caller);
    stream.on("error", () => {});
    // When the first message has come, the hub has put all of them on their way.
    await new Promise<void>((resolve, reject) => {
      stream.once("error", reject);
      stream.on("data", ({ frame }: ConnectResponse) => {
        if (frame?.$case !== "chatMessage") return;
        stream.pause();
        resolve();
      });
    });
    const began = performance.now();
    const goingAway = new Promise<void>((resolve) => {
      hub.child.stderr?.on("data", () => {
        if (hub.log().includes("hub is going away")) resolve();
      });
    });
    hub.child.kill("SIGTERM");
    await goingAway;
    if (second !== undefined) hub.child.kill(second);
    const { code, signal } = await hub.ended;
    return { code, signal, stopMs: performance.now() - began };
  } finally {
    stub.close();
    await hub.end();
    await rm(folder, { recursive: true });
  }
}
