import { type Mutant, onceIn } from "./mutant.ts";

const UNIQUE_KEYS = {
  file: "store/sqlite/migration-1.ts",
  find: "CREATE UNIQUE INDEX entries_by_key",
  replace: "CREATE INDEX entries_by_key",
};

/** Bugs in what is stored, and in what is said about it (M1 to M5). */
export const STORING_MUTANTS: readonly Mutant[] = [
  {
    name: "receipt-before-commit",
    what: "tells everybody first and commits 20 ms later",
    edits: [
      {
        file: "store/sqlite/sqlite-store.ts",
        find: 'control("COMMIT", "commit a transaction");',
        replace: "",
      },
      {
        file: "store/sqlite/sqlite-store.ts",
        find: "if (failure !== undefined || !log.isDue())",
        replace:
          "await new Promise((later) => setTimeout(later, 20));" +
          ' if (db.inTransaction) db.exec("COMMIT"); if (failure || !log.isDue())',
      },
    ],
    caughtBy: "crash",
    figures: ["lost"],
  },
  {
    name: "receipt-in-the-turn",
    what: "sends receipts when a transaction has written everything and before it commits",
    edits: [
      {
        file: "server/turns.ts",
        find: "outcomes.push({ result, context });",
        replace:
          "{ outcomes.push({ result, context }); const told = job.done;" +
          " job.done = () => { job.done = told; }; told(result);" +
          " if (outcomes.length === jobs.length) {" +
          " of.settled(); await new Promise((later) => setTimeout(later, 2)); } }",
      },
    ],
    caughtBy: "failpoints",
    // A kill may meet a transaction in which nobody had anything to be told.
    words: ["--only", "before-commit", "--rounds", "6"],
    figures: ["lost"],
  },
  {
    name: "delivery-before-commit",
    what: "delivers what a transaction has written before it commits",
    edits: [
      {
        file: "server/turns.ts",
        find: "outcomes.push({ result, context });",
        replace:
          "{ outcomes.push({ result, context: { ...context, written: [] } });" +
          " for (const each of context.written) of.deliver(each); if (outcomes.length ===" +
          " jobs.length) await new Promise((later) => setTimeout(later, 2)); }",
      },
    ],
    caughtBy: "crash",
    figures: ["lost"],
  },
  {
    name: "entry-dropped",
    what: "gives a receipt for one entry in two hundred without storing it",
    edits: [
      {
        file: "hub/write.ts",
        find: "return context.tx.append([stored], after);",
        replace: `return ${onceIn(200)} ? Promise.resolve() : context.tx.append([stored], after);`,
      },
    ],
    caughtBy: "crash",
    figures: ["lost"],
  },
  {
    name: "two-swapped",
    what: "in every third turn, handles each second request before the one that came first",
    edits: [
      {
        file: "server/turns.ts",
        find: "return queue.splice(0, count);",
        replace:
          `const turn = queue.splice(0, count); if (${onceIn(3)})` +
          " for (let at = 1; at < turn.length; at += 2)" +
          " turn.splice(at - 1, 2, turn[at], turn[at - 1]); return turn;",
      },
    ],
    caughtBy: "crash",
    figures: ["misordered"],
  },
  {
    name: "message-stored-twice",
    what: "does not look up the key of a message that is sent again",
    edits: [
      {
        file: "hub/message.ts",
        find: 'await context.tx.entryByKey(agentId, "chatMessage", message.messageId);',
        replace: "undefined;",
      },
      UNIQUE_KEYS,
      {
        file: "store/sqlite/pending-entries.ts",
        find: "if (this.#rows.isInBlock(author, key))",
        replace: "if (this.#count < 0)",
      },
    ],
    caughtBy: "crash",
    figures: ["duplicated"],
  },
  {
    name: "repeat-within-a-row",
    what: "of messages that share a row, finds only the last one by its key",
    edits: [
      {
        file: "store/sqlite/entry-rows.ts",
        find: "last_key >= @key ORDER BY",
        replace: "last_key = @key ORDER BY",
      },
    ],
    caughtBy: "crash",
    // In a chat that has ended meanwhile a repeat is refused instead.
    figures: ["duplicated", "lost"],
  },
  {
    name: "row-of-two-authors",
    what: "puts messages that follow each other into one row, whoever wrote them",
    edits: [
      {
        file: "store/sqlite/pending-entries.ts",
        find: "last.lastKey === before &&",
        replace: "",
      },
      {
        file: "store/sqlite/pending-entries.ts",
        find: "last.entries[0]?.author === author &&",
        replace: "",
      },
    ],
    caughtBy: "model",
  },
  {
    name: "unwritten-entries-unread",
    what: "answers from the rows there are, without the entries that are about to become one",
    edits: [
      {
        file: "store/sqlite/transaction.ts",
        find: 'perform("write", () => pending.flush());',
        replace: "undefined;",
      },
    ],
    caughtBy: "model",
  },
  {
    name: "request-stored-twice",
    what: "does not look up the key of a request that is sent again",
    edits: [
      {
        file: "hub/request.ts",
        find: 'await tx.entryByKey(agentId, "chatRequest", frame.idempotencyKey);',
        replace: "undefined;",
      },
      UNIQUE_KEYS,
    ],
    caughtBy: "model",
  },
  {
    name: "receipt-of-the-next",
    what: "names the following seq in one receipt of two hundred",
    edits: [
      {
        file: "hub/answer.ts",
        find: "seq: entry.seq,",
        replace: `seq: entry.seq + (${onceIn(200)} ? 1 : 0),`,
      },
    ],
    caughtBy: "crash",
    figures: ["lost", "misordered"],
  },
  {
    name: "commits-not-synced",
    what: "commits with synchronous=NORMAL, and does not mind",
    edits: [
      {
        file: "store/sqlite/prepare-database.ts",
        find: 'db.pragma("synchronous = FULL");',
        replace: 'db.pragma("synchronous = NORMAL");',
      },
      {
        file: "store/sqlite/prepare-database.ts",
        find: "const FULL = 2;",
        replace: "const FULL = 1;",
      },
    ],
    caughtBy: "syscalls",
    figures: ["early"],
  },
  {
    name: "refused-frame-moves-positions",
    what: "counts the acks beside a frame that was refused",
    edits: [
      {
        file: "server/session.ts",
        find: "const answer = frame && (await handleFrame(context, caller, frame));",
        replace:
          "const answer = frame && (await handleFrame(context, caller, frame));" +
          ' if (answer?.kind === "refusal") await movePositions(context, agentId, acks);',
      },
    ],
    caughtBy: "model",
  },
  {
    name: "recovered-log-not-synced",
    what: "tells of what a killed hub left in the log before that is synced",
    edits: [
      {
        file: "store/sqlite/prepare-database.ts",
        find: '-wal`, "r+");',
        replace: '`, "r+");',
      },
    ],
    caughtBy: "syscalls",
    figures: ["early"],
  },
  {
    name: "answered-twice",
    what: "stores a second answer to a request",
    edits: [
      {
        file: "hub/decide.ts",
        find: "if (channel.answerSeq > 0) {",
        replace: "if (channel.answerSeq > 0) { return STORE;",
      },
    ],
    caughtBy: "model",
  },
  {
    name: "expired-twice",
    what: "rejects a request that has its answer already when its time is up",
    edits: [
      {
        file: "hub/expire.ts",
        find: "if (channel?.state !== ChannelState.CHANNEL_STATE_REQUESTED)",
        replace: "if (channel === undefined)",
      },
      {
        file: "server/expiry.ts",
        find: 'else if (entry.kind !== "chatMessage")',
        replace: "else if (!entry)",
      },
    ],
    caughtBy: "model",
  },
];
