/** A place in the hub where a proof ends it, and the load under which it is passed. */
export interface Failpoint {
  /** As the marker in the source has it: `// failpoint: <name>`. */
  name: string;
  /** Below `src/`. */
  file: string;
  /** When it is passed, as a sentence about the hub. */
  what: string;
  /**
   * crash: the load of `proof/crash`. return: the same, in a hub that its clients come back to.
   * migration: a database of an older version is opened.
   * creation: a database is made. drain: the hub is told to stop under load. expiry: requests
   * that nobody answers.
   */
  load: "crash" | "return" | "migration" | "creation" | "drain" | "expiry";
  /** It kills at a random pass from the first to this one. */
  passes: number;
}

/** Every failpoint there is; a test compares the list with the markers in the sources. */
export const FAILPOINTS: readonly Failpoint[] = [
  {
    name: "before-commit",
    file: "store/sqlite/sqlite-store.ts",
    what: "a turn's rows are written and not committed",
    load: "crash",
    passes: 40,
  },
  {
    name: "after-commit",
    file: "store/sqlite/sqlite-store.ts",
    what: "a turn is committed and nobody was told",
    load: "crash",
    passes: 40,
  },
  {
    name: "before-ack-commit",
    file: "hub/ack.ts",
    what: "a position is moved and not committed",
    load: "crash",
    passes: 40,
  },
  {
    name: "after-ack-commit",
    file: "server/receivers.ts",
    what: "a position is stored and the peer is not told",
    load: "crash",
    passes: 40,
  },
  {
    name: "before-checkpoint",
    file: "store/sqlite/log-size.ts",
    what: "the log is about to be copied into the database file",
    load: "crash",
    passes: 1,
  },
  {
    name: "after-checkpoint",
    file: "store/sqlite/log-size.ts",
    what: "the log is copied into the database file",
    load: "crash",
    passes: 1,
  },
  {
    name: "before-receipt",
    file: "server/outbox.ts",
    what: "a session's receipts are collected and not sent",
    load: "crash",
    passes: 40,
  },
  {
    name: "after-receipt",
    file: "server/turns.ts",
    what: "the author of an entry is told, its receiver is not",
    load: "crash",
    passes: 600,
  },
  {
    name: "response-taken",
    file: "server/outbox.ts",
    what: "the transport has a response, and what follows from it is not done",
    load: "crash",
    passes: 600,
  },
  {
    name: "before-delivery",
    file: "server/receivers.ts",
    what: "an entry is about to be offered to its receiver",
    load: "crash",
    passes: 600,
  },
  {
    name: "after-delivery",
    file: "server/feed.ts",
    what: "a delivery is in the outbox",
    load: "crash",
    passes: 600,
  },
  {
    name: "replay-page",
    file: "server/feed.ts",
    what: "a page of the log is read for a session and not delivered",
    load: "return",
    passes: 3,
  },
  {
    name: "session-started",
    file: "server/begin-session.ts",
    what: "a session is greeted, its positions are read and nothing is delivered",
    load: "return",
    passes: 3,
  },
  {
    name: "session-claimed",
    file: "server/begin-session.ts",
    what: "a session receives and has not read its positions",
    load: "return",
    passes: 3,
  },
  {
    name: "before-expiry",
    file: "hub/expire.ts",
    what: "a request's time is up and nothing is written",
    load: "expiry",
    passes: 3,
  },
  {
    name: "before-epoch",
    file: "store/sqlite/prepare-database.ts",
    what: "a new database has its tables and no epoch",
    load: "creation",
    passes: 1,
  },
  {
    name: "in-migration",
    file: "store/sqlite/migrations.ts",
    what: "a migration has run and is not committed",
    load: "migration",
    passes: 2,
  },
  {
    name: "between-migrations",
    file: "store/sqlite/migrations.ts",
    what: "one migration is committed and the next has not begun",
    load: "migration",
    passes: 2,
  },
  {
    name: "drain-begun",
    file: "server/drain.ts",
    what: "the hub takes no new session and has told nobody",
    load: "drain",
    passes: 1,
  },
  {
    name: "drain-sessions-told",
    file: "server/drain.ts",
    what: "every session is told to go away, and requests are still answered",
    load: "drain",
    passes: 1,
  },
  {
    name: "drain-sessions-gone",
    file: "server/drain.ts",
    what: "every session has ended and the last turns may be running",
    load: "drain",
    passes: 1,
  },
];
