import { type ChannelCredentials, Client, Metadata } from "@grpc/grpc-js";
import type { Need } from "./needs.ts";

/** A hub, and what the runner may do with it. */
export interface HubUnderTest {
  /** `HOST:PORT` */
  address: string;
  /** Plain or TLS. */
  credentials: ChannelCredentials;
  /** What transcripts may need of it. */
  has: ReadonlySet<Need>;
  /** Stands for every agent whose id begins with `cf-`; undefined where the hub asks nobody. */
  agentKey?: string | undefined;
  adminKey?: string | undefined;
  control: HubControl;
  /** Ends what the runner has started. */
  close(): Promise<void>;
}

/** What can be done to a hub besides calling it; missing where it cannot. */
export interface HubControl {
  /** SIGTERM; resolves when it has ended. */
  stop?(): Promise<void>;
  /** Sends SIGTERM and resolves at once. */
  beginStop?(): void;
  /** SIGKILL; resolves when it has ended. */
  crash?(): Promise<void>;
  /** On the same data and address; resolves when it serves. */
  start?(): Promise<void>;
  /** @param of.agents an agent's id or a pattern. @param of.expires an instant in UTC; empty: never */
  createKey?(of: { agents: string; role: string; expires: string }): Promise<string>;
  revokeKey?(key: string): Promise<void>;
  /** Holds the database, so that nothing can be stored. */
  lock?(): void;
  unlock?(): void;
}

/** Who a call says that it comes from. */
export interface CallerWords {
  agentId?: string | undefined;
  key?: string | undefined;
  receive?: string | undefined;
  /** Further call metadata. */
  metadata?: Record<string, string> | undefined;
}

/** The call metadata of a caller. */
export function metadataOf({ agentId, key, receive, metadata = {} }: CallerWords): Metadata {
  const made = new Metadata();
  if (agentId !== undefined) made.set("claw-agent-id", agentId);
  if (key !== undefined) made.set("authorization", `Bearer ${key}`);
  if (receive !== undefined) made.set("claw-receive", receive);
  for (const [name, value] of Object.entries(metadata)) made.set(name, value);
  return made;
}

/** A connection of its own, so that no other call is affected when it breaks. */
export function connectionTo(hub: HubUnderTest): Client {
  return new Client(hub.address, hub.credentials, {
    "grpc.use_local_subchannel_pool": 1,
    "grpc.initial_reconnect_backoff_ms": 50,
    "grpc.max_reconnect_backoff_ms": 200,
  });
}
