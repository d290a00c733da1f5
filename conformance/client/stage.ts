import { type ClientProgram, startClientProgram } from "./client-program.ts";
import type { JsonObject, Said } from "./contract.ts";
import { createLedger, type Ledger } from "./ledger.ts";
import type { Scenario } from "./scenario.ts";
import { type HubStream, type ScriptedHub, startScriptedHub } from "./scripted-hub.ts";
import { acksOf, answeredBy, entryOf, type Frame, frameOf, type Session } from "./session.ts";
import { createWatch, type Watch } from "./watch.ts";

/** One scenario with its hub and its client, and all that has happened between them. */
export interface Stage {
  watch: Watch;
  hub: ScriptedHub;
  program: ClientProgram;
  ledger: Ledger;
  /** Sessions that no step has taken yet. */
  sessions: Session[];
  /** The session that steps speak of. */
  current: Session | undefined;
  /** What the client has printed, and no step has taken yet. */
  events: JsonObject[];
  /** Frames that were given a name, the newest of each. */
  named: Map<string, Frame>;
  /** The ids of the messages that the hub has stored. */
  stored: Set<string>;
  epoch: string;
  /** When the hub last said something that binds the client to a time. */
  sinceMs: number;
  turnedAway: number;
  say(session: Session, said: Said): void;
  receipt(session: Session, frame: Frame, more?: JsonObject): void;
  exit: { code: number | null; signal: string | null } | undefined;
  close(): Promise<void>;
}

/** The channel that there never is: a message there asks whether its id is used (M2). */
const NOWHERE = "?";
/** When the hub of every scenario stores what it stores. */
const STORED_AT = "2026-01-01T00:00:00Z";

/** Starts a hub, and the client with it. */
export async function setStage(
  scenario: Scenario,
  command: readonly string[],
  patienceMs: number,
): Promise<Stage> {
  const watch = createWatch(patienceMs);
  const ends = new Map<string, number>();
  const open = new Map<HubStream, Session>();
  let count = 0;

  const stage: Omit<Stage, "hub" | "program" | "close"> = {
    watch,
    ledger: createLedger(watch.fault),
    ...{ sessions: [], events: [] },
    ...{ current: undefined, exit: undefined },
    ...{ named: new Map(), stored: new Set(), epoch: "", sinceMs: 0, turnedAway: 0 },
    say(session, said) {
      const entry = entryOf(said);
      if (entry !== undefined) {
        stage.ledger.sent(entry.channelId, entry.seq);
        ends.set(entry.channelId, Math.max(entry.seq, ends.get(entry.channelId) ?? 0));
      }
      for (const id of answeredBy(said)) session.requestIds.delete(id);
      if (!session.over) session.stream.write(said);
    },
    receipt(session, frame, more = {}) {
      const channelId = String(more.channelId ?? (frame.value.channelId || "chat-1"));
      const seq = Number(more.seq ?? (ends.get(channelId) ?? 0) + 1);
      ends.set(channelId, Math.max(seq, ends.get(channelId) ?? 0));
      const messageId = String(frame.value.messageId ?? "");
      stage.stored.add(messageId);
      const { requestId } = frame;
      const receipt = { requestId, channelId, messageId, timestamp: STORED_AT, ...more, seq };
      stage.say(session, { json: { receipts: [receipt] } });
    },
  };

  function requested(session: Session, request: JsonObject): void {
    const acks = acksOf(request);
    for (const { channelId, seq } of acks) {
      session.acks.set(channelId, Math.max(seq, session.acks.get(channelId) ?? 0));
      stage.ledger.acked(channelId, seq);
    }
    const frame = frameOf(request);
    if (request.heartbeat === true) {
      session.heartbeats += 1;
      const requestId = String(request.requestId ?? "");
      if (frame === undefined) stage.say(session, { json: { requestId } });
    }
    if (frame !== undefined) take(session, frame);
    else if (acks.length === 0 && request.setAside === undefined && request.heartbeat !== true) {
      watch.fault("a request with nothing in it was sent, which is refused as EMPTY_FRAME");
    }
    watch.changed();
  }

  function take(session: Session, frame: Frame): void {
    if (frame.requestId === "") watch.fault(`a ${frame.kind} was sent without a request_id`);
    else if (session.requestIds.has(frame.requestId)) {
      watch.fault(`the request_id ${frame.requestId} was used again before it was answered`);
    }
    session.requestIds.add(frame.requestId);
    if (frame.value.channelId === NOWHERE) answerQuestion(session, frame);
    else session.frames.push(frame);
  }

  function answerQuestion(session: Session, { requestId, value }: Frame): void {
    const used = stage.stored.has(String(value.messageId));
    const error = used
      ? { code: 6, reason: "MESSAGE_ID_REUSED" }
      : { code: 5, reason: "CHANNEL_NOT_FOUND" };
    stage.say(session, { json: { requestId, error } });
  }

  const hub = await startScriptedHub({
    opened(stream) {
      count += 1;
      const session: Session = {
        ...{ number: count, stream, openedMs: performance.now(), frames: [] },
        ...{ requestIds: new Set(), acks: new Map(), heartbeats: 0, over: false },
      };
      open.set(stream, session);
      stage.sessions.push(session);
      watch.changed();
    },
    requested(stream, request) {
      const session = open.get(stream);
      if (session !== undefined && !session.over) requested(session, request);
    },
    halfClosed(stream) {
      const session = open.get(stream);
      if (session === undefined || session.over) return;
      session.over = true;
      stream.end();
    },
    // A driver is told to make none.
    called: () => ({}),
    turnedAway() {
      stage.turnedAway += 1;
      watch.changed();
    },
  });
  const program = await startClientProgram({
    command,
    hub: `127.0.0.1:${hub.port}`,
    env: { CLAW_AGENT: "judged", ...scenario.env },
    event(event) {
      if (event.event !== "delivered") stage.events.push(event);
      else if (stage.ledger.handed(String(event.channel_id), Number(event.seq))) {
        stage.events.push(event);
      }
      watch.changed();
    },
    exited(code, signal) {
      stage.exit = { code, signal };
      watch.over(`the client ended by itself, with ${signal ?? `exit code ${code}`}`);
    },
  }).catch((error) => {
    hub.close();
    throw error;
  });
  const close = async () => {
    await program.end();
    hub.close();
  };
  // The same object: the hooks above look at it.
  return Object.assign(stage, { hub, program, close });
}
