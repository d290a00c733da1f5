import type { Edit } from "../patches/patched-source.ts";
import type { Mutant } from "./mutant.ts";

/** A bug of the client, and the scenarios of the scripted hub that must each notice it. */
function judged(name: string, what: string, scenarios: string[], ...edits: Edit[]): Mutant {
  return {
    ...{ name: `client-${name}`, what, edits, caughtBy: "judge-client" },
    words: scenarios.flatMap((scenario) => ["--only", scenario]),
    figures: [`failed>${scenarios.length - 1}`],
  };
}

const OUTSTANDING = "client/outstanding.ts";
const INBOX = "client/inbox.ts";
const CONNECTION = "client/connection.ts";
const LIFECYCLE = "client/lifecycle.ts";
const SESSION = "client/session.ts";

const RESEND = "unsent = new Set(requests.values());";
const COME_BACK_ONLY_IF_TOLD = "if (reconnect)";

/** Bugs of a client that a hub must provoke: how it sends, receives, and comes back. */
const DRIVEN: readonly Mutant[] = [
  judged(
    "forgets-what-was-under-way",
    "does not send again what was sent in the session that is gone",
    ["receipt-lost", "go-away", "half-open", "hub-not-back-yet"],
    {
      file: OUTSTANDING,
      find: RESEND,
      replace: "unsent = new Set([...requests.values()].filter((one) => !one.sent));",
    },
  ),
  judged(
    "resends-newest-first",
    "sends what has no receipt again in the opposite order",
    ["lost-before-storing", "go-away"],
    {
      file: OUTSTANDING,
      find: RESEND,
      replace: "unsent = new Set([...requests.values()].reverse());",
    },
  ),
  judged("asks-once", "does not send a chat_request again", ["request-resent"], {
    file: OUTSTANDING,
    find: RESEND,
    replace:
      'unsent = new Set([...requests.values()].filter((one) => one.wire.frame.$case !== "chatRequest"));',
  }),
  judged(
    "answers-once",
    "gives an answer up whose receipt was lost, although it names its channel",
    ["answers-resent"],
    {
      file: "client/request-under-way.ts",
      find: 'return frame.value.channelId !== "";',
      replace: "return false;",
    },
  ),
  judged(
    "takes-one-receipt",
    "overlooks all receipts of a response but the first",
    ["receipts-grouped"],
    {
      file: LIFECYCLE,
      find: "for (const receipt of receipts) {",
      replace: "for (const receipt of receipts.slice(0, 1)) {",
    },
  ),
  judged(
    "retries-at-once",
    "sends a frame again at once that the hub could not store",
    ["refused-for-now"],
    {
      file: OUTSTANDING,
      find: "const delayMs = Math.max(durationMsOf(error.retryAfter) ?? 0, request.backoff.nextDelayMs());",
      replace: "const delayMs = 0;",
    },
  ),
  judged(
    "overtakes",
    "does not hold back what comes after a frame that was refused for now",
    ["refused-for-now", "all-refused-for-now"],
    {
      file: OUTSTANDING,
      find: "if ((waits || inquiries.pending) && !isQuery(request.target))",
      replace: "if (inquiries.pending && !isQuery(request.target))",
    },
  ),
  judged(
    "follows-its-successor",
    "sends a refused frame again although a later one of its channel is stored",
    ["overtaken"],
    {
      file: OUTSTANDING,
      find: "if (!request.sent && mustStop(request))",
      replace: "if (request.order < 0)",
    },
  ),
  judged(
    "resends-unasked",
    "sends everything again without asking what is stored",
    ["refused-and-cut"],
    { file: OUTSTANDING, find: "mayHaveChangedPlaces([...unsent]).forEach(ask);", replace: "" },
  ),
  judged("retries-everything", "sends every refused frame again", ["refused-for-good"], {
    file: OUTSTANDING,
    find: "if (couldNotStore(error)) {",
    replace: "if (error.code > 0) {",
  }),
  judged(
    "hands-over-twice",
    "hands an entry to the application again that it has handled",
    ["repeated-deliveries"],
    { file: INBOX, find: "if (seq <= line.handledSeq) {", replace: "if (seq < 0) {" },
  ),
  judged("acks-once", "does not ack a repeat", ["repeated-deliveries"], {
    file: INBOX,
    find: "this.#links.ack(channelId, line.handledSeq);",
    replace: "",
  }),
  judged(
    "acks-on-arrival",
    "acks an entry before the application is done with it",
    ["ack-after-handling", "many-channels", "failing-handler"],
    {
      file: INBOX,
      find: "if (holds(line, seq)) {",
      replace: "this.#links.ack(channelId, seq); if (holds(line, seq)) {",
    },
  ),
  judged("acks-nothing", "does not tell the hub what is handled", ["many-channels"], {
    file: INBOX,
    find: "this.#links.ack(channelId, seq);",
    replace: "",
  }),
  judged("gives-up-what-is-refused", "never sends a refused frame again", ["refused-for-now"], {
    file: OUTSTANDING,
    find: "if (couldNotStore(error)) {",
    replace: "if (error.code < 0) {",
  }),
  judged("works-one-by-one", "lets one channel hold up all others", ["many-channels"], {
    file: "client/chat-client.ts",
    find: "newLane(this.#settings.maxConcurrentChannels)",
    replace: "newLane(1)",
  }),
  judged(
    "skips-what-fails",
    "takes an entry for handled that its handler could not handle",
    ["failing-handler"],
    { file: "client/handler-listener.ts", find: 'return "failed";', replace: 'return "handled";' },
  ),
  judged(
    "stumbles-over-news",
    "fails at a frame that it does not know",
    ["unknown-from-a-newer-hub"],
    {
      file: "client/delivery.ts",
      find: "if (frame === undefined || !isEntry(frame))",
      replace: "if (!isEntry(frame))",
    },
  ),
  judged(
    "keeps-its-positions",
    "takes what it knows of one log for true of another",
    ["another-log"],
    { file: LIFECYCLE, find: "this.inbox.forgetAll();", replace: "" },
  ),
  judged(
    "overlooks-the-epoch",
    "does not notice that the log is another one",
    ["another-log", "another-log-unacked"],
    {
      file: LIFECYCLE,
      find: "if (this.#epoch !== undefined && this.#epoch !== storeEpoch) {",
      replace: 'if (storeEpoch === "") {',
    },
  ),
  judged("waits-for-ever", "does not give up a hub that answers nothing", ["half-open"], {
    file: "client/heartbeat.ts",
    find: "if (silentTicks >= SILENT_TICKS) {",
    replace: "if (silentTicks < 0) {",
  }),
  judged(
    "returns-on-the-dead-line",
    "opens the next session on the connection that leads nowhere",
    ["half-open"],
    {
      file: LIFECYCLE,
      find: "onSilence: () => this.#closeStub(),",
      replace: "onSilence: () => {},",
    },
  ),
  judged("hears-no-heartbeat", "gives a hub up that answers its heartbeats", ["quiet-hub"], {
    file: SESSION,
    find: "heartbeat?.received();",
    replace: "",
  }),
  judged(
    "stops-listening-when-full",
    "does not read while it cannot write",
    ["hub-stops-reading"],
    {
      file: SESSION,
      find: "return stream.write(request);",
      replace: "if (stream.write(request)) return true; stream.pause(); return false;",
    },
  ),
  judged("returns-too-soon", "does not wait for reconnect_after", ["go-away"], {
    file: CONNECTION,
    find: "durationMsOf(goAway?.reconnectAfter) ??",
    replace: "",
  }),
  judged("gives-up", "stays away when the hub is not there", ["hub-not-back-yet"], {
    file: CONNECTION,
    find: "return FINAL_CODES.includes(end.code)",
    replace: "return end.code === status.UNAVAILABLE",
  }),
  judged(
    "insists",
    "does not wait as long as a hub asks that has too much of it",
    ["too-many-sessions"],
    {
      file: CONNECTION,
      find: "Math.max(askedToWaitMs(end), backoff.nextDelayMs())",
      replace: "backoff.nextDelayMs()",
    },
  ),
  judged(
    "throws-its-successor-out",
    "comes back after it was superseded",
    ["superseded"],
    {
      file: CONNECTION,
      find: 'if (goAway?.reason === "SUPERSEDED" || end.code === status.ABORTED) {',
      replace: 'if (end.details === "") {',
    },
    { file: CONNECTION, find: COME_BACK_ONLY_IF_TOLD, replace: "if (reconnect || !reconnect)" },
  ),
  judged(
    "returns-unasked",
    "comes back although it was told to stay away",
    ["sent-away", "credentials-revoked"],
    { file: CONNECTION, find: COME_BACK_ONLY_IF_TOLD, replace: "if (reconnect || !reconnect)" },
  ),
  judged("does-not-renew", "stays away when its credentials expire", ["credentials-expire"], {
    file: CONNECTION,
    find: COME_BACK_ONLY_IF_TOLD,
    replace: "if (reconnect && end.code !== status.UNAUTHENTICATED)",
  }),
  judged("knocks-for-ever", "asks again with credentials that were refused", ["login-refused"], {
    file: CONNECTION,
    find: "  status.UNAUTHENTICATED,",
    replace: "",
  }),
];

/** A bug that is noticed in a conversation with a whole program. */
function programmed(side: "provider" | "consumer", ...of: Parameters<typeof judged>): Mutant {
  const { words = [], ...mutant } = judged(...of);
  return { ...mutant, name: `${mutant.name}-of-a-${side}`, words: ["--as", side, ...words] };
}

/** One of the bugs above, noticed so. */
function inProgram(side: "provider" | "consumer", bug: string, ...scenarios: string[]): Mutant {
  const found = DRIVEN.find(({ name }) => name === `client-${bug}`);
  if (found === undefined) throw new Error(`there is no bug ${bug}`);
  return programmed(side, bug, found.what, scenarios, ...found.edits);
}

const IN_PROGRAMS: readonly Mutant[] = [
  inProgram("provider", "acks-nothing", "conversation", "many-chats"),
  inProgram("provider", "hands-over-twice", "positions-forgotten"),
  inProgram("provider", "forgets-what-was-under-way", "lost-before-storing"),
  inProgram("provider", "returns-too-soon", "go-away"),
  inProgram("provider", "throws-its-successor-out", "superseded"),
  inProgram("provider", "does-not-renew", "credentials-expire"),
  inProgram("provider", "stumbles-over-news", "unknown-from-a-newer-hub"),
  inProgram("consumer", "forgets-what-was-under-way", "receipts-lost", "lost-before-storing"),
  inProgram("consumer", "gives-up-what-is-refused", "refused-for-now"),
  inProgram("consumer", "gives-up", "hub-not-back-yet"),
  inProgram("consumer", "knocks-for-ever", "login-refused"),
  programmed(
    "consumer",
    "takes-a-no-for-a-yes",
    "takes a rejected request for accepted",
    ["rejected"],
    {
      file: "client/from-wire.ts",
      find: 'status: code === "expired" ? "expired" : "rejected",',
      replace: 'status: "accepted",',
    },
  ),
];

export const JUDGED_CLIENT_MUTANTS: readonly Mutant[] = [...DRIVEN, ...IN_PROGRAMS];
