import { type Metadata, type StatusObject, status } from "@grpc/grpc-js";
import { durationMsOf } from "../protocol/time.js";
import type {
  ChatHubClient,
  ConnectRequest,
  ConnectResponse,
  GoAway,
  SessionStarted,
} from "../protocol/wire.js";
import { sessionMetadata } from "./api-key.js";
import { createBackoff } from "./backoff.js";
import type { ConnectionEvents } from "./connection-events.js";
import { ChatHubError, errorOfStatus, noApiKey, reasonOf } from "./errors.js";
import { sessionInfoOf } from "./from-wire.js";
import type { Settings, TracedFrame } from "./options.js";
import { openSession, type Session, type Silence } from "./session.js";

/** Coming back would be answered in the same way again. */
const FINAL_CODES: readonly number[] = [
  status.INVALID_ARGUMENT,
  status.PERMISSION_DENIED,
  status.UNIMPLEMENTED,
  status.UNAUTHENTICATED,
];

/** A session that lasted this long was a good one. */
const GOOD_SESSION_MS = 5_000;

/** What a connection tells. */
export interface ConnectionHooks {
  /** A session began. own: this client ended the one before itself, in order to be sent again. */
  onSession(started: SessionStarted, own: boolean): void;
  onResponse(response: ConnectResponse): void;
  onFrame(frame: TracedFrame): void;
  /** More may be sent again. */
  onWritable(): void;
  /** The last moment to send: the client is about to half-close. */
  onLeaving(): void;
  /** The hub was not heard, so the connection may lead nowhere: the stub is not used again. */
  onSilence(): void;
  /** No further session follows. */
  onFinal(error: ChatHubError): void;
}

/** Keeps a session open, for ever, until it is told to leave or sent away. */
export interface Connection {
  /** A session is open and takes more. */
  readonly writable: boolean;
  /** A session is open. */
  readonly open: boolean;
  /** Why the last attempt failed; undefined where it did not. */
  readonly trouble: string | undefined;
  /** Sends; only while writable. */
  send(request: ConnectRequest): void;
  /** Half-closes the session and begins another one, which is sent everything unacked (D1). */
  reopen(): void;
  /** Half-closes an open session, and resolves when it is over; bounded by the session. */
  leave(): Promise<void>;
  /** Ends everything at once. */
  abort(): void;
}

/** Opens the first session and every later one. */
export function startConnection(of: {
  /** The stub there is, or a new one. */
  stub: () => ChatHubClient;
  settings: Settings;
  hooks: ConnectionHooks;
  events: ConnectionEvents;
}): Connection {
  const { stub, settings, hooks, events } = of;
  const backoff = createBackoff({ initialMs: 100, maxMs: 10_000 });
  let session: Session | undefined;
  let phase: "opening" | "open" | "reopening" | "waiting" | "leaving" | "over" = "opening";
  let goAway: GoAway | undefined;
  let full = false;
  /** When the session greeted. */
  let greetedAtMs = Infinity;
  let trouble: string | undefined;
  let timer: NodeJS.Timeout | undefined;
  let left: () => void = () => {};

  function open(own: boolean): void {
    phase = "opening";
    goAway = undefined;
    full = false;
    greetedAtMs = Infinity;
    const metadata = sessionMetadata(settings);
    if (metadata instanceof Promise) metadata.then((ready) => begin(ready, own), withoutKey);
    else begin(metadata, own);
  }

  function withoutKey(error: unknown): void {
    if (phase !== "opening") return;
    const { reason, message } = noApiKey(error);
    comeBack(reason, message, backoff.nextDelayMs());
  }

  function begin(metadata: Metadata, own: boolean): void {
    // While the key was asked for the client may have left.
    if (phase !== "opening") return;
    session = openSession(stub(), metadata, {
      onStarted(started) {
        greetedAtMs = performance.now();
        trouble = undefined;
        if (phase !== "opening") return;
        phase = "open";
        hooks.onSession(started, own);
        events.publish({ state: "connected", ...sessionInfoOf(started) });
      },
      onResponse(response) {
        if (response.frame?.$case === "goAway") {
          onGoAway(response.frame.value);
          return;
        }
        // Not at the greeting: a hub that greets and then fails would be asked in a tight loop.
        backoff.reset();
        hooks.onResponse(response);
      },
      onFrame: (frame) => hooks.onFrame(frame),
      onDrain() {
        full = false;
        hooks.onWritable();
      },
      onClosed,
    });
  }

  /** The hub answers what it has read; nothing sent from now on would be. */
  function onGoAway(frame: GoAway): void {
    goAway = frame;
    if (phase !== "open" || !frame.reconnect) return;
    hooks.onLeaving();
    phase = "waiting";
    session?.leave();
  }

  function onClosed(end: StatusObject, silence: Silence | undefined): void {
    session = undefined;
    const wasReopening = phase === "reopening";
    const wasLeaving = phase === "leaving";
    if (wasLeaving || phase === "over") {
      phase = "over";
      left();
      return;
    }
    if (silence !== undefined) hooks.onSilence();
    const final = finalError(end, goAway);
    if (final !== undefined) {
      phase = "over";
      events.publish(
        final.reason === "SUPERSEDED" ? { state: "superseded" } : { state: "closed", error: final },
      );
      hooks.onFinal(final);
      return;
    }
    if (wasReopening && end.code === status.OK) {
      open(true);
      return;
    }
    if (performance.now() - greetedAtMs >= GOOD_SESSION_MS) backoff.reset();
    const reason =
      silence ?? goAway?.reason ?? reasonOf(end.metadata) ?? status[end.code] ?? "UNKNOWN";
    const retryInMs =
      durationMsOf(goAway?.reconnectAfter) ?? Math.max(askedToWaitMs(end), backoff.nextDelayMs());
    comeBack(reason, goAway?.message ?? end.details, retryInMs);
  }

  function comeBack(reason: string, message: string, retryInMs: number): void {
    trouble = `${reason}: ${message}`;
    phase = "waiting";
    // Not unref'd: a provider that waits for its hub is at work.
    timer = setTimeout(() => open(false), retryInMs);
    events.publish({ state: "disconnected", reason, retryInMs });
  }

  events.publish({ state: "connecting" });
  open(false);
  return {
    get writable() {
      return phase === "open" && !full;
    },
    get open() {
      return phase === "open";
    },
    get trouble() {
      return trouble;
    },
    send(request) {
      if (session !== undefined) full = !session.send(request);
    },
    reopen() {
      if (phase !== "open") return;
      hooks.onLeaving();
      phase = "reopening";
      session?.leave();
    },
    leave() {
      clearTimeout(timer);
      if (phase === "open") hooks.onLeaving();
      // One that the hub has not greeted has nothing to be answered, and would only supersede.
      if (session === undefined || phase === "opening") {
        phase = "over";
        session?.abort();
        return Promise.resolve();
      }
      phase = "leaving";
      return new Promise<void>((resolve) => {
        left = resolve;
        session?.leave();
      });
    },
    abort() {
      clearTimeout(timer);
      phase = "over";
      session?.abort();
    },
  };
}

/** The error that a session's end means for good; undefined where coming back makes sense. */
function finalError(end: StatusObject, goAway: GoAway | undefined): ChatHubError | undefined {
  // ABORTED means superseded even where the GoAway before it was lost: coming back would take
  // the session away from the newer one, which would come back in its turn.
  if (goAway?.reason === "SUPERSEDED" || end.code === status.ABORTED) {
    return new ChatHubError({
      code: status.ABORTED,
      reason: "SUPERSEDED",
      message:
        goAway?.message ?? "a newer receiving session of this agent took over; this one stays down",
    });
  }
  if (goAway !== undefined) {
    const { reason, message, reconnect } = goAway;
    // Whatever the status is: that of a session whose credentials expired would be final elsewhere.
    if (reconnect) return undefined;
    const code = end.code === status.OK ? status.UNAVAILABLE : end.code;
    return new ChatHubError({ code, reason, message });
  }
  return FINAL_CODES.includes(end.code) ? errorOfStatus(end) : undefined;
}

/** How long a hub that has too much of this client wants it to stay away. */
function askedToWaitMs(end: StatusObject): number {
  return end.code === status.RESOURCE_EXHAUSTED ? (errorOfStatus(end).retryAfterMs ?? 0) : 0;
}
