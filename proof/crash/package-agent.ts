import { setTimeout } from "node:timers/promises";
import { ChatClient, type ConnectionEvent } from "claw-chat-hub";
import type { FrameJournal } from "./frame-journal.ts";
import type { Journal } from "./journal.ts";

/** An agent on the package's own client, whose promises are judged as well. */
export interface PackageAgent {
  readonly id: string;
  /** Messages whose promise is open. */
  readonly pending: number;
  /** Connects, and begins to say something to its peers as long as it may. */
  begin(): void;
  /** Whether nothing is on its way to or from it. */
  settled(): Promise<boolean>;
  leave(): Promise<void>;
}

/**
 * No call gives up: hubs that are killed within the second are hardly ever there when a client
 * that waits longer each time tries again.
 */
const PATIENCE_MS = 3_600_000;

/** Connects to nothing before `begin`. */
export function createPackageAgent(of: {
  id: string;
  address: string;
  journal: Journal;
  frames: FrameJournal;
  peers: string[];
  pipelined: number;
  /** How long it waits after a receipt before it says more. */
  pauseMs: number;
  isClosing(): boolean;
  /** The connection was lost, or is there again. */
  onConnection: (event: ConnectionEvent) => void;
}): PackageAgent {
  const { id, journal, peers } = of;
  const client = new ChatClient({
    hubUrl: `grpc://${of.address}`,
    agentId: id,
    timeoutMs: PATIENCE_MS,
    onFrame(frame) {
      if (frame.direction === "sent") of.frames.sent(frame.request);
      else of.frames.received(frame.response);
    },
  });
  let pending = 0;
  let count = 0;

  function failed(error: unknown): void {
    journal.note(["failed", id, String(error)]);
  }

  async function say(): Promise<void> {
    count += 1;
    const messageId = `${id}-${count}`;
    const targetAgent = peers[count % peers.length] ?? "";
    pending += 1;
    try {
      await client.sendMessage({ targetAgent, messageId, content: `this is ${messageId}` });
    } catch (error) {
      failed(error);
    }
    if (of.pauseMs > 0) await setTimeout(of.pauseMs);
    pending -= 1;
    go();
  }

  function go(): void {
    while (!of.isClosing() && pending < of.pipelined) void say();
  }

  client.listenForMessages(({ channelId, seq }) => {
    journal.note(["handled", id, channelId, seq]);
  });

  async function watch(): Promise<void> {
    for await (const event of client.connection()) of.onConnection(event);
  }

  return {
    id,
    get pending() {
      return pending;
    },
    begin() {
      void watch();
      client.connect().then(go, failed);
    },
    async settled() {
      if (pending > 0) return false;
      for await (const { positions, lastSeq } of client.listChannels()) {
        if (positions.find((one) => one.agentId === id)?.ackedSeq !== lastSeq) return false;
      }
      return true;
    },
    leave: () => client.disconnect(),
  };
}
