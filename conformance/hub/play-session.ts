import { isObject, type Json } from "./contract.ts";
import { expectRefusal, expectStatus } from "./expect-refusal.ts";
import { metadataOf } from "./hub-under-test.ts";
import { show } from "./match.ts";
import { openSession, type Session } from "./session.ts";
import { nothingMore, type Stage } from "./stage.ts";
import type { Step } from "./transcript.ts";

/** Plays a step of a session. @throws Error when the hub does otherwise */
export async function playSession(stage: Stage, step: Step): Promise<void> {
  const { subject, verb, value, options } = step;
  if (verb === "connects") return connect(stage, step);
  const session = stage.sessions.get(subject);
  if (session === undefined) throw new Error(`${subject} has not connected`);
  switch (verb) {
    case "sends":
      return send(stage, session, step);
    case "sends bytes":
      return sendBytes(stage, session, step);
    case "gets":
      for (const pattern of repeated(value, options.times)) await get(stage, session, pattern);
      return;
    case "is answered":
      for (const answer of repeated(value, options.times))
        await expectLater(stage, session, answer);
      return;
    case "stops reading":
      return session.pause();
    case "reads on":
      return session.resume();
    case "gets nothing":
      return nothingMore(subject, session);
    case "half-closes":
      return session.halfClose();
    case "disconnects":
      stage.sessions.delete(subject);
      await nothingMore(subject, session);
      return session.close();
    case "ends": {
      const ended = await session.until("the end of the stream", () => session.ended());
      return expectStatus(stage, value, ended);
    }
    default:
      throw new Error(`no session ${verb}`);
  }
}

async function connect(stage: Stage, { subject, value, options }: Step): Promise<void> {
  const asked = stage.fill(isObject(value) ? value : { receive: value }) as {
    receive?: string;
    agent?: string;
    key?: string;
    metadata?: Record<string, string>;
  };
  const { agentId, key } = stage.callerOf(subject);
  const metadata = metadataOf({
    agentId: asked.agent ?? agentId,
    key: (asked.key ?? key) || undefined,
    receive: asked.receive,
    metadata: asked.metadata,
  });
  const session = openSession({
    client: stage.connection(),
    metadata,
    patienceMs: stage.patienceMs,
  });
  stage.sessions.get(subject)?.close();
  stage.sessions.set(subject, session);
  if (options.refused !== undefined) {
    const status = await session.until("the end of the stream", () => session.ended());
    return expectRefusal(stage, options.refused, status);
  }
  await get(stage, session, { sessionStarted: options.started ?? {} });
}

async function get(stage: Stage, session: Session, pattern: unknown): Promise<void> {
  if (!isObject(pattern)) throw new Error(`${show(pattern)} is no pattern of a response`);
  const taken = await session.until(show(pattern), () =>
    session.arrivals.take(pattern, stage.variables),
  );
  stage.keep(taken.bound);
}

async function send(stage: Stage, session: Session, { value, options }: Step): Promise<void> {
  const sent = repeated(value, options.times).map((request) => {
    const json = stage.fill(request) as Json;
    return { json, requestId: session.send(json) };
  });
  const expected = Array.isArray(options.answers) ? options.answers : sent.map(() => options);
  for (const [index, { json, requestId }] of sent.entries()) {
    await expectAnswer(stage, session, { json, requestId, expected: expected[index] ?? {} });
  }
}

/** Without another word a frame is to be stored, and a history to be shown. */
async function expectAnswer(
  stage: Stage,
  session: Session,
  of: { json: Json; requestId: string; expected: Record<string, unknown> },
): Promise<void> {
  const { json, requestId, expected } = of;
  const asks = Object.keys(json).some((key) => key.startsWith("chat"));
  if (expected.answer === "later") session.later.push(requestId);
  if (expected.answer !== undefined) return;
  if (expected.refused === undefined && !asks && json.heartbeat !== true) return;
  const answer = await session.answerTo(requestId);
  if (expected.refused !== undefined) return checkRefused(stage, expected.refused, answer);
  if (isObject(answer.error)) throw new Error(`it was refused: ${show(answer.error)}`);
  const kind = "chatHistory" in json ? "chatHistory" : "receipt";
  if (!asks) return stage.expect({ requestId, receipts: [], replayed: false }, answer);
  if (!(kind in answer)) throw new Error(`the answer is no ${kind}: ${show(answer)}`);
  stage.expect(expected[kind === "receipt" ? "receipt" : "page"] ?? {}, answer[kind]);
}

/** The answer to the oldest request that was sent with `answer: later`. */
async function expectLater(stage: Stage, session: Session, expected: unknown): Promise<void> {
  const requestId = session.later.shift();
  if (requestId === undefined) throw new Error("nothing was sent with `answer: later`");
  const answer = await session.answerTo(requestId);
  const { refused, receipt } = isObject(expected) ? expected : {};
  if (refused !== undefined) return checkRefused(stage, refused, answer);
  stage.expect({ receipt: receipt ?? {} }, answer);
}

function checkRefused(stage: Stage, refused: unknown, answer: Json): void {
  if (!isObject(answer.error)) throw new Error(`it was not refused: ${show(answer)}`);
  expectRefusal(stage, refused, answer.error);
}

/** One or a list of them, so many times over. */
function repeated(value: unknown, times: unknown): unknown[] {
  return Array.from({ length: Number(times ?? 1) }, () => value).flat();
}

async function sendBytes(stage: Stage, session: Session, step: Step): Promise<void> {
  const { value, options } = step;
  const requestId = String(options.requestId ?? "");
  session.sendBytes(Buffer.from(String(value).replaceAll(" ", ""), "hex"), requestId);
  if (options.refused === undefined) return;
  checkRefused(stage, options.refused, await session.answerTo(requestId));
}
