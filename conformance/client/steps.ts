import type { JsonObject, JsonValue } from "./contract.ts";
import { inShort, matches } from "./json-match.ts";
import type { Mode } from "./ledger.ts";
import type { Step } from "./scenario.ts";
import type { Ending } from "./scripted-hub.ts";
import { type Frame, isSameFrame, type Session } from "./session.ts";
import type { Stage } from "./stage.ts";
import { Fault } from "./watch.ts";

/** Clocks of the two sides tick apart; a pause may be this much shorter than asked for. */
const TOLERANCE = 0.95;

type Take = (stage: Stage, argument: JsonObject, step: Step) => Promise<void> | void;

/** What the steps of a scenario do; `docs/conformance.md` has the table. */
const STEPS = {
  tell(stage, instruction) {
    if (instruction.do === "handle") {
      const { mode, channel_id: channelId } = instruction;
      stage.ledger.setMode(mode as Mode, channelId as string | undefined);
    }
    stage.program.tell(instruction);
  },
  async says(stage, expected) {
    await stage.watch.until(`the event ${inShort(expected)}`, () => {
      const place = stage.events.findIndex((event) => matches(expected, event));
      if (place >= 0) return stage.events.splice(place, 1)[0];
      const [frame] = stage.current?.frames ?? [];
      if (expected.event === "stopped" && stage.sessions.length > 0) {
        throw new Fault("it opened another session");
      }
      if (expected.event === "refused" && frame !== undefined) {
        throw new Fault(`it sent ${inShort({ [frame.kind]: frame.value })}`);
      }
      return undefined;
    });
  },
  async session(stage, { metadata = {}, greeting = {}, greet = true, ...bounds }) {
    const before = stage.current;
    const session = await stage.watch.until("a session", () => stage.sessions.shift());
    stage.current = session;
    if (
      !matches({ "claw-receive": "manual", ...(metadata as JsonObject) }, session.stream.metadata)
    )
      throw new Fault(`a session was opened with ${inShort(session.stream.metadata)}`);
    notBefore(stage, session.openedMs, bounds.notBeforeMs, "a session was opened");
    if (bounds.newConnection === true) {
      if (before?.stream.connection.number === session.stream.connection.number)
        throw new Fault("the session was opened on the same connection");
    }
    if (greet === true) greetSession(stage, session, greeting as JsonObject);
  },
  async frame(stage, expected, { as }) {
    const { notBeforeMs, ...frame } = expected;
    const [kind = "", value = {}] = Object.entries(frame)[0] ?? [];
    const taken = await nextFrame(stage, `a ${kind}`);
    if (taken.kind !== kind || !matches(value, taken.value)) {
      throw new Fault(
        `${inShort({ [taken.kind]: taken.value })} came instead of ${inShort(frame)}`,
      );
    }
    notBefore(stage, taken.arrivedMs, notBeforeMs, "it was sent");
    if (as !== undefined) stage.named.set(as, taken);
  },
  async again(stage, { frame, notBeforeMs }) {
    const name = String(frame);
    const first = stage.named.get(name);
    if (first === undefined) throw new Error(`no frame was called ${name}`);
    const taken = await nextFrame(stage, `${name} again`);
    if (!isSameFrame(first, taken)) {
      const came = inShort({ [taken.kind]: taken.value });
      throw new Fault(`${came} came instead of ${name} again: ${inShort(first.value)}`);
    }
    notBefore(stage, taken.arrivedMs, notBeforeMs, "it was sent again");
    stage.named.set(name, taken);
  },
  async acks(stage, expected) {
    const { acks } = current(stage);
    await stage.watch.until(
      `acks of ${inShort(expected)} (acked: ${inShort(Object.fromEntries(acks))})`,
      () =>
        Object.entries(expected).every(([id, seq]) => (acks.get(id) ?? 0) >= Number(seq)) ||
        undefined,
    );
  },
  unacked(stage, expected) {
    for (const [id, seq] of Object.entries(expected)) {
      const acked = current(stage).acks.get(id) ?? 0;
      if (acked >= Number(seq)) throw new Fault(`entry ${acked} of ${id} was acked`);
    }
  },
  send(stage, { unknown, ...json }) {
    if ("goAway" in json) stage.sinceMs = performance.now();
    const bytes = typeof unknown === "string" ? { unknown: Buffer.from(unknown, "hex") } : {};
    stage.say(current(stage), { json, ...bytes });
  },
  stores(stage, { frame }) {
    stage.stored.add(String(called(stage, frame).value.messageId));
  },
  receipt(stage, { of, ...more }) {
    stage.receipt(current(stage), called(stage, of), more);
  },
  receipts(stage, { of }) {
    const session = current(stage);
    const receipts = (of as JsonObject[]).map(({ frame, ...more }) => {
      const { requestId, value } = called(stage, frame ?? null);
      const { channelId = "", messageId = "" } = value;
      stage.stored.add(String(messageId));
      return { requestId, channelId, messageId, ...more };
    });
    stage.say(session, { json: { receipts } });
  },
  refuse(stage, { of, ...error }) {
    stage.sinceMs = performance.now();
    const { requestId } = called(stage, of);
    stage.say(current(stage), {
      json: { requestId, error: { message: "As the scenario has it.", ...error } },
    });
  },
  drop(stage) {
    const session = current(stage);
    session.over = true;
    session.stream.connection.drop();
  },
  freeze(stage) {
    stage.sinceMs = performance.now();
    current(stage).stream.connection.freeze();
  },
  end(stage, ending) {
    const session = current(stage);
    session.over = true;
    if (ending.retryAfterMs !== undefined) stage.sinceMs = performance.now();
    session.stream.end(ending as unknown as Ending);
  },
  turnAway(stage, { connections }) {
    stage.turnedAway = 0;
    stage.hub.turnAway(Number(connections));
  },
  async turnedAway(stage, { connections }) {
    await stage.watch.until(
      `connection ${connections}`,
      () => stage.turnedAway >= Number(connections) || undefined,
    );
  },
  stopReading(stage) {
    current(stage).stream.pause();
  },
  readOn(stage) {
    current(stage).stream.resume();
  },
  async heartbeats(stage, { count }) {
    const session = current(stage);
    const wanted = session.heartbeats + Number(count);
    await stage.watch.until(`heartbeat ${wanted}`, () => session.heartbeats >= wanted || undefined);
  },
} satisfies Record<string, Take>;

export type StepName = keyof typeof STEPS;
export const stepNames = Object.keys(STEPS) as StepName[];

/** Does a step. @throws Fault with a sentence about the client, Error where the scenario is wrong */
export async function takeStep(stage: Stage, step: Step): Promise<void> {
  const take: Take = STEPS[step.name];
  await take(stage, shaped(step), step);
}

/** `drop:` alone, or `again: m1` for `again: { frame: m1 }`. */
function shaped({ name, argument }: Step): JsonObject {
  if (argument === null) return {};
  if (typeof argument === "object" && !Array.isArray(argument)) return argument;
  const short: Partial<Record<StepName, string>> = {
    ...{ again: "frame", stores: "frame", receipt: "of", receipts: "of", heartbeats: "count" },
    ...{ turnAway: "connections", turnedAway: "connections" },
  };
  const key = short[name];
  if (key === undefined) throw new Error(`${name} cannot do with ${inShort(argument)}`);
  return { [key]: argument };
}

function greetSession(stage: Stage, session: Session, greeting: JsonObject): void {
  const epoch = String(greeting.storeEpoch ?? (stage.epoch || "epoch-1"));
  if (epoch !== stage.epoch) stage.ledger.newEpoch();
  stage.epoch = epoch;
  const sessionStarted = {
    sessionId: `session-${session.number}`,
    agentId: session.stream.metadata["claw-agent-id"] ?? "",
    hubVersion: "0.0.0",
    receiveMode: "RECEIVE_MODE_MANUAL",
    limits: {
      maxMessageBytes: 1024 * 1024,
      maxUnackedPerChannel: 256,
      maxUnacked: 1024,
      maxUnackedBytes: 8 * 1024 * 1024,
      heartbeatInterval: "10s",
    },
    ...greeting,
    storeEpoch: epoch,
  };
  stage.say(session, { json: { sessionStarted } });
}

function nextFrame(stage: Stage, what: string): Promise<Frame> {
  const session = current(stage);
  return stage.watch.until(what, () => session.frames.shift());
}

function current({ current: session }: Stage): Session {
  if (session === undefined) throw new Error("there is no session yet");
  return session;
}

function called(stage: Stage, name: JsonValue | undefined): Frame {
  const frame = stage.named.get(String(name));
  if (frame === undefined) throw new Error(`no frame was called ${name}`);
  return frame;
}

function notBefore(stage: Stage, atMs: number, bound: JsonValue | undefined, what: string): void {
  const waitedMs = atMs - stage.sinceMs;
  if (typeof bound !== "number" || waitedMs >= bound * TOLERANCE) return;
  throw new Fault(`${what} after ${Math.round(waitedMs)} ms, and not after ${bound} ms at least`);
}
