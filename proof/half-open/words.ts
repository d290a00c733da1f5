/** Times are of the machine's monotonic clock, which all processes share, in milliseconds. */
export function nowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** What the process of a client is told. */
export interface ClientOrder {
  /** Offer this service and stay. */
  offer: { address: string; agentId: string; serviceId: string };
}

/** Its connection changed, as ChatClient.connection() tells. */
export interface ClientReport {
  state: string;
  atMs: number;
}

/** What the process of a bare session is told. */
export type BareOrder =
  | { order: "open"; address: string; agentId: string; serviceId: string }
  /** Sends a heartbeat now, and where so wanted every so often from now on. */
  | { order: "heartbeat"; everyMs?: number }
  /** Says something and acks. */
  | { order: "say"; targetAgent: string; words: string; ack?: { channelId: string; seq: number } }
  /** Makes a call on the same connection: behind everything that was sent on it before. */
  | { order: "call" };

export type BareReport =
  | { what: "ready" }
  | { what: "started"; atMs: number }
  | { what: "registered" }
  | { what: "answered" }
  | { what: "delivered"; channelId: string; seq: number; words: string; atMs: number }
  | { what: "goAway"; reason: string; reconnect: boolean }
  | { what: "ended"; code: number; atMs: number }
  | { what: "called" };

/** What the process of the observer is told: to look at these services all the time. */
export interface ObserverOrder {
  address: string;
}

/** A provider came or went, as ListServices tells. */
export interface ObserverReport {
  serviceId: string;
  online: boolean;
  atMs: number;
}
