import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { type Heard, hear, nothingHeard, type Plain } from "./heard.js";
import type { KeptContract, ReadMessage } from "./kept-contract.js";
import type { RawSession } from "./raw-hub.js";
import { rawHub } from "./raw-hub.js";
import type { RecordedEnd, RecordedEvent } from "./recording.js";

/** How long to wait for something that the release's hub has said. */
const PATIENCE_MS = 10_000;

/** All that clients were told, by sessions and in the order of calls. */
export interface Transcript {
  sessions: Heard[];
  calls: JsonValue[];
  /** The numbers of fields that the release does not know. */
  unknown: Set<number>;
}

/** Sorts responses and answers into a transcript. */
function transcriptOf(contract: KeptContract, plain: Plain) {
  const transcript: Transcript = { sessions: [], calls: [], unknown: new Set() };
  function read(type: string, bytes: Buffer): ReadMessage {
    const message = contract.decode(type, bytes);
    for (const number of message.unknown) transcript.unknown.add(number);
    return message;
  }
  return {
    transcript,
    open: () => transcript.sessions.push(nothingHeard()),
    /** Returns how much was heard. */
    response(session: number, bytes: Buffer): number {
      const { json, unknown } = read("ConnectResponse", bytes);
      const heard = transcript.sessions[session - 1];
      if (heard === undefined) throw new Error(`there is no session ${session}`);
      return hear(heard, plain(json) as JsonObject, unknown.length > 0);
    },
    end(session: number, { code, reason }: RecordedEnd) {
      Object.assign(transcript.sessions[session - 1] ?? {}, { end: { code, reason } });
    },
    call(method: string, agent: string, answer: Buffer | RecordedEnd) {
      const type = contract.methods.find(({ name }) => name === method)?.output ?? "";
      const said = Buffer.isBuffer(answer) ? plain(read(type, answer).json) : { ...answer };
      transcript.calls.push({ [`${agent}: ${method}`]: said });
    },
  };
}

/** What the release's hub said. */
export function recordedTranscript(
  events: readonly RecordedEvent[],
  contract: KeptContract,
  plain: Plain,
): Transcript {
  const { transcript, ...told } = transcriptOf(contract, plain);
  for (const event of events) {
    if (event.event === "open") told.open();
    else if (event.event === "response") told.response(event.session, bytesOf(event.bytes));
    else if (event.event === "end") told.end(event.session, event);
    else if (event.event === "call") {
      const { answer } = event;
      const said = typeof answer === "string" ? bytesOf(answer) : answer;
      told.call(event.method, event.agent ?? "", said);
    }
  }
  return transcript;
}

/**
 * Says to a hub what the release's clients said, byte for byte: each thing once everything has
 * come that had come before it then.
 * @param of.stop stops the hub, where the release's was stopped
 * @throws Error when something does not come
 */
export async function replay(
  events: readonly RecordedEvent[],
  of: { address: string; contract: KeptContract; plain: Plain; stop: () => Promise<void> },
): Promise<Transcript> {
  const hub = rawHub(of.address);
  const { transcript, ...told } = transcriptOf(of.contract, of.plain);
  const counting = transcriptOf(of.contract, (value) => value);
  const sessions: { raw: RawSession; heard: number; due: number; wake: () => void }[] = [];
  function sessionOf(session: number) {
    const found = sessions[session - 1];
    if (found === undefined) throw new Error(`session ${session} was never opened`);
    return found;
  }

  async function caughtUp(before: string): Promise<void> {
    for (const [index, session] of sessions.entries()) {
      while (session.heard < session.due) {
        const more = Promise.withResolvers<boolean>();
        session.wake = () => more.resolve(true);
        const timer = setTimeout(() => more.resolve(false), PATIENCE_MS);
        const came = await more.promise;
        clearTimeout(timer);
        if (came) continue;
        const [heard] = JSON.stringify(transcript.sessions[index]).match(/^.{0,2000}/s) ?? [];
        throw new Error(
          `session ${index + 1} was told ${session.heard} of ${session.due} things before ` +
            `${before}: ${heard}`,
        );
      }
    }
  }

  function open(caller: { agent?: string; receive?: string }): void {
    told.open();
    counting.open();
    const number = sessions.length + 1;
    const raw = hub.session(caller, (bytes) => {
      session.heard += told.response(number, bytes);
      session.wake();
    });
    const session = { raw, heard: 0, due: 0, wake: () => {} };
    sessions.push(session);
    raw.ended.then((end) => {
      told.end(number, end);
      session.heard += 1;
      session.wake();
    });
  }

  try {
    for (const [index, event] of events.entries()) {
      if (event.event === "response") {
        const { session, bytes } = event;
        sessionOf(session).due += counting.response(session, bytesOf(bytes));
        continue;
      }
      if (event.event === "end") {
        sessionOf(event.session).due += 1;
        continue;
      }
      await caughtUp(`line ${index + 1}, ${event.event}`);
      if (event.event === "open") open(event);
      else if (event.event === "request") sessionOf(event.session).raw.send(bytesOf(event.bytes));
      else if (event.event === "halfClose") sessionOf(event.session).raw.halfClose();
      else if (event.event === "stop") await of.stop();
      else {
        const answer = await hub.call(event.method, event.agent, bytesOf(event.bytes));
        told.call(event.method, event.agent ?? "", answer);
      }
    }
    await caughtUp("the end");
    return transcript;
  } finally {
    hub.close();
  }
}

function bytesOf(base64: string): Buffer {
  return Buffer.from(base64, "base64");
}
