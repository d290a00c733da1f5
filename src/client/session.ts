import type { Metadata, StatusObject } from "@grpc/grpc-js";
import { durationMsOf } from "../protocol/time.js";
import type {
  ChatHubClient,
  ConnectRequest,
  ConnectResponse,
  SessionStarted,
} from "../protocol/wire.js";
import { type Heartbeat, startHeartbeat } from "./heartbeat.js";
import type { TracedFrame } from "./options.js";
import { openStream } from "./stub.js";

/** How long the hub may take to greet, and to end a stream that is on its way out. */
const START_TIMEOUT_MS = 10_000;
const LEAVE_TIMEOUT_MS = 5_000;

/** Its answer is not waited for: whatever arrives shows that the hub is there. */
const HEARTBEAT: ConnectRequest = {
  requestId: "heartbeat",
  acks: [],
  heartbeat: true,
  setAside: [],
  frame: undefined,
};

/** The hub was not heard: it did not greet, or it greeted and fell silent (L3). */
export type Silence = "NO_GREETING" | "HEARTBEAT_MISSED";

/** One stream, from its opening to its end. */
export interface Session {
  /** Sends; returns false where nothing more should be sent before onDrain. */
  send(request: ConnectRequest): boolean;
  /** Half-closes: the hub answers what it has read and ends the stream (L1); cut off after 5 s. */
  leave(): void;
  /** Ends the stream at once. */
  abort(): void;
}

/** What a session tells. Nothing is told after onClosed. */
export interface SessionEvents {
  /** The first frame arrived. */
  onStarted(started: SessionStarted): void;
  onResponse(response: ConnectResponse): void;
  onDrain(): void;
  /** Every frame as it travels. */
  onFrame(frame: TracedFrame): void;
  /**
   * The stream is over and everything it brought has been told.
   * @param silence why this side cut it off; undefined where it ended otherwise
   */
  onClosed(status: StatusObject, silence: Silence | undefined): void;
}

/**
 * Opens a stream. Its reader is attached at once, because grpc-js keeps everything that
 * arrives for a stream nobody reads.
 * @throws Error when the stub was closed
 */
export function openSession(
  stub: ChatHubClient,
  metadata: Metadata,
  events: SessionEvents,
): Session {
  const stream = openStream(stub, metadata);
  let phase: "starting" | "started" | "leaving" | "closed" = "starting";
  let ended = false;
  let status: StatusObject | undefined;
  let heartbeat: Heartbeat | undefined;
  let silence: Silence | undefined;
  let timer = setTimeout(() => cutOff("NO_GREETING"), START_TIMEOUT_MS);

  function cutOff(why: Silence): void {
    silence = why;
    stream.cancel();
  }

  function beat(): void {
    // Where the hub does not read, one more frame would only wait behind the others.
    if (phase === "started" && !stream.writableNeedDrain) send(HEARTBEAT);
  }

  function send(request: ConnectRequest): boolean {
    events.onFrame({ direction: "sent", request });
    return stream.write(request);
  }

  // The status may come before the last frames were read: both must be there.
  function closeWhenOver(): void {
    if (phase === "closed" || !ended || status === undefined) return;
    phase = "closed";
    clearTimeout(timer);
    heartbeat?.stop();
    events.onClosed(status, silence);
  }

  stream.on("data", (response: ConnectResponse) => {
    if (phase === "closed") return;
    heartbeat?.received();
    events.onFrame({ direction: "received", response });
    if (response.frame?.$case === "sessionStarted") {
      if (phase !== "starting") return;
      phase = "started";
      clearTimeout(timer);
      heartbeat = startHeartbeat({
        intervalMs: durationMsOf(response.frame.value.limits?.heartbeatInterval) ?? 0,
        beat,
        missed: () => cutOff("HEARTBEAT_MISSED"),
      });
      events.onStarted(response.frame.value);
      return;
    }
    events.onResponse(response);
  });
  stream.on("drain", () => {
    if (phase === "started") events.onDrain();
  });
  // The status event says the same; without a listener the error would end the process.
  stream.on("error", () => {});
  stream.on("status", (received: StatusObject) => {
    status = received;
    closeWhenOver();
  });
  stream.on("end", () => {
    ended = true;
    closeWhenOver();
  });

  return {
    send(request) {
      return phase === "leaving" || phase === "closed" ? false : send(request);
    },
    leave() {
      if (phase === "leaving" || phase === "closed") return;
      phase = "leaving";
      clearTimeout(timer);
      heartbeat?.stop();
      timer = setTimeout(() => stream.cancel(), LEAVE_TIMEOUT_MS);
      stream.end();
    },
    abort() {
      stream.cancel();
    },
  };
}
