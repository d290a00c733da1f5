import type { Mutant } from "./mutant.ts";

/** Bugs in what the hub does with input that is meant to harm it (G14). */
export const HOSTILE_MUTANTS: readonly Mutant[] = [
  {
    name: "streams-unguarded",
    what: "ends when a call of an unknown method is gone before it is answered",
    edits: [{ file: "server/hub.ts", find: "guardStreams(server, log);", replace: "" }],
    caughtBy: "fuzz",
    figures: ["hub_ended"],
  },
];
