import { type Mutant, onceIn } from "./mutant.ts";

/** Bugs in who is sent what, and in what counts as handled (D1 to D7, I4, L1). */
export const DELIVERING_MUTANTS: readonly Mutant[] = [
  {
    name: "delivery-dropped",
    what: "leaves out one live delivery in two hundred",
    edits: [
      {
        file: "server/receivers.ts",
        find: "byAgent.get(peerOf(channel, author))?.offer(entry);",
        replace: `if (!(${onceIn(200)})) byAgent.get(peerOf(channel, author))?.offer(entry);`,
      },
    ],
    caughtBy: "crash",
    figures: ["lost", "gaps"],
  },
  {
    name: "gap-at-the-seam",
    what: "skips the entry at which a slow session falls back to the log",
    edits: [
      {
        file: "server/feed.ts",
        find: "this.#fallBehind(channelId, seq - 1);",
        replace: "this.#fallBehind(channelId, seq);",
      },
    ],
    caughtBy: "model",
  },
  {
    name: "gap-at-the-start",
    what: "begins a session one entry too late",
    edits: [
      {
        file: "server/feed.ts",
        find: "this.#fallBehind(channelId, position);",
        replace: "this.#fallBehind(channelId, position + 1);",
      },
    ],
    caughtBy: "model",
  },
  {
    name: "repeat-at-the-seam",
    what: "delivers a new entry at once while older ones are still read from the log",
    edits: [
      {
        file: "server/feed.ts",
        find: 'if (this.#state !== "delivering" || this.#isLate(channelId))',
        replace: 'if (this.#state !== "delivering")',
      },
    ],
    caughtBy: "crash",
    figures: ["duplicated", "misordered"],
  },
  {
    name: "positions-not-stored",
    what: "takes acks and forgets them",
    edits: [
      {
        file: "hub/ack.ts",
        find: "await tx.putChannel(after);",
        replace: "",
      },
    ],
    caughtBy: "model",
  },
  {
    name: "stale-position",
    what: "moves a position back when an older ack comes late",
    edits: [
      {
        file: "hub/apply.ts",
        find: "if (ackedSeq <= progress.position)",
        replace: "if (ackedSeq === progress.position)",
      },
    ],
    caughtBy: "model",
  },
  {
    name: "position-ahead",
    what: "takes every ack for one of the whole channel",
    edits: [
      {
        file: "hub/apply.ts",
        find: "position: ackedSeq >= progress.due ? lastSeq : ackedSeq",
        replace: "position: lastSeq",
      },
    ],
    caughtBy: "model",
  },
  {
    name: "echo-to-the-sender",
    what: "delivers an entry to its author as well",
    edits: [
      {
        file: "server/receivers.ts",
        find: "byAgent.get(peerOf(channel, author))?.offer(entry);",
        replace:
          "byAgent.get(peerOf(channel, author))?.offer(entry); byAgent.get(author)?.offer(entry);",
      },
    ],
    caughtBy: "model",
  },
  {
    name: "turn-delivered-backwards",
    what: "delivers what one request has stored, newest first",
    edits: [
      {
        file: "server/turns.ts",
        find: "for (const one of written)",
        replace: "for (const one of written.toReversed())",
      },
    ],
    caughtBy: "model",
  },
  {
    name: "outbox-unbounded",
    what: "gives a slow session everything at once, whatever is on its way already",
    edits: [
      {
        file: "server/outbox.ts",
        find: "createBudget({ maxItems: MAX_FRAMES, maxBytes: MAX_BYTES });",
        replace: "createBudget({ maxItems: 1e9, maxBytes: 1e12 });",
      },
    ],
    caughtBy: "stalled",
    figures: ["live_each_mib>6", "rss_growth_mib>64"],
  },
  {
    name: "window-always-open",
    what: "leaves any number of deliveries of a manual session unacked",
    edits: [
      {
        file: "server/begin-session.ts",
        find: "window: isManual ? createWindow(window) : OPEN_WINDOW,",
        replace: "window: OPEN_WINDOW,",
      },
    ],
    caughtBy: "model",
  },
  {
    name: "progress-not-told",
    what: "tells nobody that a peer's position has moved",
    edits: [
      {
        file: "server/turns.ts",
        find: "for (const one of moved)",
        replace: "for (const one of moved.slice(0, 0))",
      },
    ],
    caughtBy: "model",
  },
  {
    name: "silence-unnoticed",
    what: "does not end a session whose client has stopped sending heartbeats",
    edits: [{ file: "server/heartbeat-watch.ts", find: "of.missed();", replace: "" }],
    caughtBy: "half-open",
    figures: ["broken"],
  },
  {
    name: "superseded-still-stores",
    what: "goes on taking requests of a session that a newer one has replaced",
    edits: [
      {
        file: "server/session.ts",
        find: "this.#leave(word);",
        replace: "this.#farewell = undefined;",
      },
    ],
    caughtBy: "model",
  },
  {
    name: "leaving-drops-the-unanswered",
    what: "ends a session before what it read is answered",
    edits: [
      {
        file: "server/session.ts",
        find: "if (this.#unanswered === 0)",
        replace: "if (this.#unanswered >= 0)",
      },
    ],
    caughtBy: "model",
  },
  {
    name: "auto-position-too-early",
    what: "counts an entry as handled before the transport has taken it",
    edits: [
      {
        file: "server/feed.ts",
        find: "outbox.push(bytes, taken && (() => taken(entry)));",
        replace: "outbox.push(bytes); taken?.(entry);",
      },
    ],
    caughtBy: "model",
  },
  {
    name: "expiry-forgotten",
    what: "does not take over the pending requests of an opened database",
    edits: [
      {
        file: "server/expiry.ts",
        find: "for (const channel of pending)",
        replace: "for (const channel of pending.slice(0, 0))",
      },
    ],
    caughtBy: "clock",
    figures: ["late"],
  },
];
