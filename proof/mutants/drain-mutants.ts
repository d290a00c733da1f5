import type { Mutant } from "./mutant.ts";

/** Bugs in how a hub goes away (L2). */
export const DRAIN_MUTANTS: readonly Mutant[] = [
  {
    name: "all-come-back-at-once",
    what: "tells every client to come back after the same time",
    edits: [
      {
        file: "server/drain.ts",
        find: "Math.random() * (RECONNECT_TO_MS - RECONNECT_FROM_MS);",
        replace: "0;",
      },
    ],
    caughtBy: "rolling",
    figures: ["planned_at_once>0.5"],
  },
  {
    name: "stopped-with-an-error",
    what: "ends with another exit code than 0 after SIGTERM",
    edits: [
      {
        file: "cli/serve.ts",
        find: "await serve(settings, safety, log);",
        replace: "await serve(settings, safety, log); return EXIT.failed;",
      },
    ],
    caughtBy: "rolling",
    figures: ["exit0<2"],
  },
];
