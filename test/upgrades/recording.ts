/** How a stream or a call ended: the gRPC code, and the word of the trailer `claw-reason`. */
export interface RecordedEnd {
  code: number;
  reason: string;
}

/**
 * One line of a recorded conversation, in the order in which things happened. Sessions have
 * numbers from 1; bytes are those of the protobuf messages, in base64.
 */
export type RecordedEvent =
  /** A client opens a session; what is left out was not in its call metadata. */
  | { event: "open"; session: number; agent?: string; receive?: string }
  | { event: "request"; session: number; bytes: string }
  | { event: "response"; session: number; bytes: string }
  | { event: "halfClose"; session: number }
  | ({ event: "end"; session: number } & RecordedEnd)
  /** A whole unary call. */
  | {
      event: "call";
      method: string;
      agent?: string;
      bytes: string;
      answer: string | RecordedEnd;
    }
  /** The hub is told to stop. */
  | { event: "stop" };

/** What `release.json` of a kept release says. */
export interface ReleaseFacts {
  /** The commit it was built from. */
  commit: string;
  /** When the database was put away: what it holds is not younger, what was said later is. */
  keptAt: string;
  /** The schema version of the kept file. */
  schema: number;
  /** Everybody who takes part. */
  agents: string[];
}
