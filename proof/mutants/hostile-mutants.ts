import type { Mutant } from "./mutant.ts";

/** Bugs in what the hub does with input that is meant to harm it (G14). */
export const HOSTILE_MUTANTS: readonly Mutant[] = [
  {
    name: "not-decoded-ends-the-hub",
    what: "ends the process at a request that is no ConnectRequest, instead of the session",
    edits: [
      {
        file: "server/session.ts",
        find: "this.#leave(NOT_DECODED);",
        replace: "setImmediate(() => { throw new Error(NOT_DECODED.message); });",
      },
    ],
    caughtBy: "fuzz",
    figures: ["hub_ended"],
  },
  {
    name: "pieces-never-let-go",
    what: "keeps all that has come of requests, also once their calls are over",
    edits: [
      {
        file: "server/unfinished-requests.ts",
        find: "= meter.take(piece);",
        replace: "= meter.take(piece); (globalThis.pieces ??= []).push(piece);",
      },
    ],
    caughtBy: "fuzz",
    words: ["--seconds", "20"],
    figures: ["rss_growth_mib>32"],
  },
  {
    name: "reset-stream-answered",
    what: "answers a call whose stream was reset before it was looked at",
    edits: [
      {
        file: "server/guarded-streams.ts",
        find: "if (stream.destroyed || stream.closed) {",
        replace: "if (process.pid === 0) {",
      },
      {
        file: "server/guarded-streams.ts",
        find: 'log.debug({ err: error }, "a call could not be answered");',
        replace: "throw error;",
      },
    ],
    caughtBy: "floods",
    words: ["-t", "reset in the same breath"],
  },
  {
    name: "sessions-not-held",
    what: "lets Node.js collect a session while a stream of it has half a header block",
    edits: [
      {
        file: "server/held-sessions.ts",
        find: "created = resource;",
        replace: "created = undefined;",
      },
    ],
    caughtBy: "floods",
    words: ["-t", "half a header block"],
  },
  {
    name: "decompresses",
    what: "takes requests that are compressed",
    edits: [
      {
        file: "server/uncompressed-only.ts",
        find: 'if (encodingOf(call) === "identity")',
        replace: "if (encodingOf(call) !== undefined)",
      },
    ],
    caughtBy: "floods",
    words: ["-t", "a compressed request is refused"],
  },
  {
    name: "pieces-not-counted",
    what: "keeps as many pieces of a request as a client cares to send",
    edits: [
      {
        file: "server/unfinished-requests.ts",
        find: "const PIECE_BYTES = 256;",
        replace: "const PIECE_BYTES = 0;",
      },
    ],
    caughtBy: "floods",
    words: ["-t", "in very many pieces", "--testTimeout", "10000"],
  },
  {
    name: "unfinished-for-ever",
    what: "keeps unfinished requests however much they are together",
    edits: [
      {
        file: "server/unfinished-requests.ts",
        find: "if (total <= maxBytes)",
        replace: "if (total > 0)",
      },
    ],
    caughtBy: "floods",
    words: ["-t", "the oldest one is ended", "--testTimeout", "10000"],
  },
];
