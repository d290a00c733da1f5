import type { Mutant } from "./mutant.ts";

/** Bugs in the package's client: what it sends again, and what it hands to the application. */
export const CLIENT_MUTANTS: readonly Mutant[] = [
  {
    name: "client-handles-twice",
    what: "hands an entry to the application again when its ack was lost with the session",
    edits: [
      { file: "client/inbox.ts", find: "if (seq <= line.handledSeq) {", replace: "if (seq < 0) {" },
    ],
    caughtBy: "cuts",
    figures: ["duplicated"],
  },
  {
    name: "client-resends-backwards",
    what: "sends what has no receipt again, newest first",
    edits: [
      {
        file: "client/outstanding.ts",
        find: "unsent = new Set(requests.values());",
        replace: "unsent = new Set([...requests.values()].reverse());",
      },
    ],
    caughtBy: "crash",
    figures: ["misordered"],
  },
  {
    name: "client-asks-nothing",
    what: "does not ask, after a cut, whether a message was refused and a later one stored",
    edits: [
      {
        file: "client/outstanding.ts",
        find: "mayHaveChangedPlaces([...unsent]).forEach(ask);",
        replace: "void mayHaveChangedPlaces;",
      },
    ],
    caughtBy: "model",
  },
  {
    name: "client-doubts-nothing",
    what: "takes what was refused for now for not stored, though an earlier session may have stored it",
    edits: [
      {
        file: "client/outstanding.ts",
        find: "request.doubtful = true;",
        replace: "request.doubtful = false;",
      },
    ],
    caughtBy: "model",
  },
  {
    name: "client-takes-everything",
    what: "keeps whatever comes in, however much waits for the application already",
    edits: [
      {
        file: "client/flow.ts",
        find: "(sharing ? room.shareOf(line) : 0) < room.free,",
        replace: "true,",
      },
    ],
    caughtBy: "stalled",
    figures: ["client_live_mib>20"],
  },
  {
    name: "client-resends-nothing",
    what: "does not send again what the session that is gone has not answered",
    edits: [
      {
        file: "client/outstanding.ts",
        find: "unsent = new Set(requests.values());",
        replace: "unsent = new Set([...requests.values()].filter((one) => !one.sent));",
      },
    ],
    caughtBy: "model",
  },
];
