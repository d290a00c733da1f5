import type { Mutant } from "./mutant.ts";

/** Bugs in what the hub does with input that is meant to harm it (G14). */
export const HOSTILE_MUTANTS: readonly Mutant[] = [
  {
    name: "not-decoded-ends-the-hub",
    what: "ends the process at a request that is no ConnectRequest, instead of the session",
    edits: [
      {
        file: "server/session.ts",
        find: "leave(NOT_DECODED);",
        replace: "setImmediate(() => { throw new Error(NOT_DECODED.message); });",
      },
    ],
    caughtBy: "fuzz",
    figures: ["hub_ended"],
  },
];
