/** How a reader does not read. */
export type Kind = "stopped" | "closed-window" | "unread";
export const KINDS: readonly Kind[] = ["stopped", "closed-window", "unread"];

/** Its receive mode: by acks, or by what the transport takes. */
export type Mode = "manual" | "auto";
export const MODES: readonly Mode[] = ["manual", "auto"];

/** What one session of a reader was delivered: seqs, in their order. */
export type SessionLog = number[];

/** What the process of the readers is told, and what it answers. */
export type ReaderOrder =
  | {
      order: "open";
      address: string;
      kind: Kind;
      /** False in the control run: they read at once. */
      stalled: boolean;
      agents: { agentId: string; mode: Mode }[];
    }
  /** Read from now on, and report when everyone has been delivered an entry with this seq. */
  | { order: "read"; upTo: Record<string, number> };
export type ReaderReport = { sessions: Record<string, SessionLog[]> };

/** What the process of the healthy pairs is told, and what it answers. */
export type HealthyOrder = { order: "begin"; address: string; pairs: number } | { order: "report" };
export type HealthyReport = { begun: true } | { latenciesMs: number[]; broken: string[] };

/** What the process of the sender that does not read is told, and what it answers. */
export type DeafOrder =
  | { order: "begin"; address: string; agentId: string; channelId: string; stalled: boolean }
  | { order: "read" };
export type DeafReport = { begun: true } | { asked: number; answered: number; twice: number };
