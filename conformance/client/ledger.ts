/** What the application does with an entry that it is handed. */
export type Mode = "ack" | "hold" | "fail";

/** Which entries the client was sent, has handed to its application, and has acked. */
export interface Ledger {
  /** The hub has sent it. */
  sent(channelId: string, seq: number): void;
  /** The application was handed it. @returns whether that is news: it may fail at it again */
  handed(channelId: string, seq: number): boolean;
  acked(channelId: string, seq: number): void;
  /** From now on the application does this; without a channel, everywhere. */
  setMode(mode: Mode, channelId: string | undefined): void;
  /** The hub has another log: what was is forgotten. */
  newEpoch(): void;
  /** Everything acked must have been handed out by now. */
  finish(): void;
}

type State = "sent" | "held" | "failed" | "handled";

/**
 * Keeps the rules of receiving that hold in every scenario. They are judged where cause and
 * effect are certain: what is acked while the application still has it, and in the end the rest.
 * @param fault told what is wrong with the client
 */
export function createLedger(fault: (sentence: string) => void): Ledger {
  const channels = new Map<string, Map<number, State>>();
  const acked = new Map<string, number>();
  const modes = new Map<string, Mode>();
  let general: Mode = "ack";

  const entriesOf = (channelId: string) => {
    const entries = channels.get(channelId) ?? new Map<number, State>();
    channels.set(channelId, entries);
    return entries;
  };
  const modeOf = (channelId: string) => modes.get(channelId) ?? general;
  const upTo = (channelId: string, seq: number) =>
    [...entriesOf(channelId)].filter(([at]) => at <= seq);

  return {
    sent(channelId, seq) {
      const entries = entriesOf(channelId);
      if (!entries.has(seq)) entries.set(seq, "sent");
    },
    handed(channelId, seq) {
      const entries = entriesOf(channelId);
      const before = entries.get(seq);
      const what = `entry ${seq} of ${channelId}`;
      if (before === undefined) fault(`the application was handed ${what}, which was never sent`);
      if (before === "handled")
        fault(`the application was handed ${what} again, after it was done`);
      const skipped = upTo(channelId, seq - 1).find(([, state]) => state === "sent");
      if (skipped) fault(`the application was handed ${what} before entry ${skipped[0]}`);
      const states = { ack: "handled", hold: "held", fail: "failed" } as const;
      entries.set(seq, states[modeOf(channelId)]);
      return before === "sent";
    },
    acked(channelId, seq) {
      const entries = entriesOf(channelId);
      const last = Math.max(0, ...entries.keys());
      if (seq > last) {
        fault(`entry ${seq} of ${channelId} was acked, but nothing after ${last} was sent to it`);
      }
      acked.set(channelId, Math.max(seq, acked.get(channelId) ?? 0));
      if (modeOf(channelId) === "ack") return;
      const early = upTo(channelId, seq).find(([, state]) => state !== "handled");
      if (early) {
        fault(
          `entry ${early[0]} of ${channelId} was acked before the application was done with it`,
        );
      }
    },
    setMode(mode, channelId) {
      if (channelId === undefined) {
        modes.clear();
        general = mode;
      } else {
        modes.set(channelId, mode);
      }
      for (const [id, entries] of channels) {
        if (modeOf(id) !== "ack") continue;
        for (const [seq, state] of entries) if (state === "held") entries.set(seq, "handled");
      }
    },
    newEpoch() {
      channels.clear();
      acked.clear();
    },
    finish() {
      for (const [channelId, seq] of acked) {
        const unseen = upTo(channelId, seq).find(([, state]) => state === "sent");
        if (unseen) {
          fault(`entry ${unseen[0]} of ${channelId} was acked, but the application never saw it`);
        }
      }
    },
  };
}
