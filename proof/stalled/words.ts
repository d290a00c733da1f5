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

/** Why the loop of an application does not ask for its next message. */
export type Pause = "busy" | "asking";
export const PAUSES: readonly Pause[] = ["busy", "asking"];

/** What the process of an application that does not read on is told, and what it answers. */
export type ClientOrder =
  /** Receive, and take one message. `asking`: wait for an answer of this agent with it. */
  | { order: "begin"; address: string; agentId: string; asks: string | undefined }
  /** Say how much memory is in use. upTo: once so much of each channel has come in. */
  | { order: "measure"; upTo: Record<string, number> }
  /** Read on until so much of each channel was handled. */
  | { order: "read"; upTo: Record<string, number> };
export type ClientReport =
  | { rssBytes: number; liveBytes: number; cameIn: number }
  /** The seqs of each channel, as the application was given them. */
  | { taken: Record<string, number[]> };
