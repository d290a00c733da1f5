import type { Channel } from "../../src/hub/channel.js";
import type { StoredEntry } from "../../src/hub/entry.js";
import { durationMsOf } from "../../src/protocol/time.js";
import { ChannelState, RejectCode } from "../../src/protocol/wire.js";
import { frameOf, wordsIn } from "./frame-words.js";
import type { Committed } from "./store-double.js";

/** A request whose time runs, on the clock that nobody sets (C4). */
export interface Waiting {
  timeoutMs: number;
  storedWallMs: number;
  /** Not before this is it expired. */
  notBeforeMs: number;
  /** The same, counted from when the hub had told about it for sure; until then never. */
  toldByMs: number;
}

/** What has become durable, in the order in which it did, and what may not have. */
export interface LogWatch {
  /** Takes note of a transaction, and of what is wrong with it. */
  committed(what: Committed): void;
  /** The hub has read these words from a session in good standing: they may be stored. */
  heard(words: string): void;
  /** An agent has acked so far, or its transport has taken: its position may be there. */
  handled(channelId: string, agentId: string, seq: number): void;
  /** The same, and the ack was not refused. */
  surelyHandled(channelId: string, agentId: string, seq: number): void;
  /** No position is beyond what was surely acked, now that the hub is at rest (D2, M5). */
  checkPositions(): void;
  /** The hub begins again: what remains of the waits is reckoned by the wall clock. */
  began(): void;
  /** Everything committed so far has been told. */
  told(): void;
  log(channelId: string): readonly StoredEntry[];
  channel(channelId: string): Channel | undefined;
  channels(): Channel[];
  /** Whether the agent is a member, and how far it has got. */
  position(channelId: string, agentId: string): number | undefined;
  /** How far an ack, and not an entry of its own, has last moved an agent in a channel. */
  movedByAck(channelId: string, agentId: string): { to: number; transaction: number } | undefined;
  /** How many transactions have been committed. */
  transactions(): number;
  waiting(): ReadonlyMap<string, Waiting>;
}

const ROLES = ["provider", "consumer"] as const;
const idOf = (channel: Channel, role: (typeof ROLES)[number]) =>
  role === "provider" ? channel.providerId : channel.consumerId;
const at = (channelId: string, agentId: string) => `${channelId} ${agentId}`;

export function watchLog(of: {
  wallMs: () => number;
  monotonicMs: () => number;
  violated: (what: string) => void;
}): LogWatch {
  const { violated } = of;
  const logs = new Map<string, StoredEntry[]>();
  const channels = new Map<string, Channel>();
  const keys = new Set<string>();
  const words = new Set<string>();
  /** What a channel has once at most. */
  const only = new Set<string>();
  const handled = new Map<string, number>();
  const surelyHandled = new Map<string, number>();
  const moves = new Map<string, { to: number; transaction: number }>();
  const waiting = new Map<string, Waiting>();
  let transactions = 0;

  function checkEntry(entry: StoredEntry): void {
    const { channelId, seq, author, kind, key } = entry;
    const log = logs.get(channelId) ?? [];
    logs.set(channelId, log);
    if (seq !== log.length + 1) violated(`${channelId} has ${seq} after ${log.length} (M3)`);
    log.push(entry);
    if (key !== "" && keys.has(`${author} ${kind} ${key}`)) {
      violated(`${kind} ${key} of ${author} is stored twice (M2, C2)`);
    }
    keys.add(`${author} ${kind} ${key}`);
    const said = wordsIn(frameOf(entry));
    if (author !== "" && said !== "" && !words.has(said)) {
      violated(`${said} of ${author} is stored, and was not read from a session in good standing`);
    }
    if (kind !== "chatMessage" && kind !== "chatRequest") {
      const what = kind === "chatEnd" ? "end" : "answer";
      const once = `${channelId} ${what}`;
      if (only.has(once)) violated(`${channelId} has a second ${what} (C3, C4, C6)`);
      only.add(once);
    }
    checkTime(entry);
  }

  function checkTime(entry: StoredEntry): void {
    const { channelId, storedAtMs } = entry;
    const { $case: kind, value } = frameOf(entry);
    if (kind === "chatRequest") {
      const timeoutMs = durationMsOf(value.timeout) ?? 0;
      const notBeforeMs = of.monotonicMs() + timeoutMs;
      waiting.set(channelId, {
        timeoutMs,
        storedWallMs: storedAtMs,
        notBeforeMs,
        toldByMs: Infinity,
      });
    } else if (kind !== "chatMessage") {
      const expired = kind === "chatReject" && value.code === RejectCode.REJECT_CODE_EXPIRED;
      const { notBeforeMs = 0 } = waiting.get(channelId) ?? {};
      if (expired && of.monotonicMs() < notBeforeMs) violated(`${channelId} expires early (C4)`);
      waiting.delete(channelId);
    }
  }

  function checkPositions(after: Channel, authors: ReadonlySet<string>): void {
    const before = channels.get(after.channelId);
    for (const role of ROLES) {
      const agentId = idOf(after, role);
      if (agentId === "") continue;
      const { position } = after[role];
      const was = before?.[role].position ?? 0;
      if (position < was)
        violated(`${agentId} goes back to ${position} in ${after.channelId} (D2)`);
      checkReached(after.channelId, agentId, position, handled);
      if (position > was && !authors.has(at(after.channelId, agentId))) {
        moves.set(at(after.channelId, agentId), { to: position, transaction: transactions });
      }
    }
    channels.set(after.channelId, after);
  }

  /** Everything of others up to a position has been acked. */
  function checkReached(
    channelId: string,
    agentId: string,
    position: number,
    reached: Map<string, number>,
  ): void {
    const acked = reached.get(at(channelId, agentId)) ?? 0;
    const entries = logs.get(channelId) ?? [];
    for (let seq = acked + 1; seq <= position; seq += 1) {
      if (entries[seq - 1]?.author === agentId) continue;
      violated(`${agentId} is at ${position} in ${channelId}, and acked ${acked} (D2)`);
      return;
    }
    // What was its own is not looked at again.
    raise(reached, at(channelId, agentId), position);
  }

  function raise(reached: Map<string, number>, name: string, seq: number): void {
    reached.set(name, Math.max(reached.get(name) ?? 0, seq));
  }

  return {
    committed({ entries, channels: rows }) {
      transactions += 1;
      for (const entry of entries) checkEntry(entry);
      const authors = new Set(entries.map(({ channelId, author }) => at(channelId, author)));
      for (const row of new Map(rows.map((one) => [one.channelId, one])).values()) {
        checkPositions(row, authors);
        if (row.state !== ChannelState.CHANNEL_STATE_REQUESTED) waiting.delete(row.channelId);
        const { length } = logs.get(row.channelId) ?? [];
        if (row.lastSeq !== length) violated(`${row.channelId} ends at ${length}, says otherwise`);
      }
    },
    heard: (said) => words.add(said),
    handled: (channelId, agentId, seq) => raise(handled, at(channelId, agentId), seq),
    surelyHandled: (channelId, agentId, seq) => raise(surelyHandled, at(channelId, agentId), seq),
    checkPositions() {
      for (const channel of channels.values()) {
        for (const role of ROLES) {
          const { position } = channel[role];
          checkReached(channel.channelId, idOf(channel, role), position, surelyHandled);
        }
      }
    },
    began() {
      for (const wait of waiting.values()) {
        const passedMs = Math.max(0, of.wallMs() - wait.storedWallMs);
        wait.notBeforeMs = of.monotonicMs() + Math.max(0, wait.timeoutMs - passedMs);
        wait.toldByMs = wait.notBeforeMs;
      }
    },
    told() {
      for (const wait of waiting.values()) {
        if (wait.toldByMs === Infinity) wait.toldByMs = of.monotonicMs() + wait.timeoutMs;
      }
    },
    log: (channelId) => logs.get(channelId) ?? [],
    channel: (channelId) => channels.get(channelId),
    channels: () => [...channels.values()].filter(({ lastSeq }) => lastSeq > 0),
    position(channelId, agentId) {
      const channel = channels.get(channelId);
      const role = channel && ROLES.find((one) => idOf(channel, one) === agentId);
      return role && channel?.[role].position;
    },
    movedByAck: (channelId, agentId) => moves.get(at(channelId, agentId)),
    transactions: () => transactions,
    waiting: () => waiting,
  };
}
