import { ChatClient, type ChatClientOptions } from "../../src/client/index.js";

const clients: ChatClient[] = [];

/** A client that is not connected yet; ended by disconnectAgents. */
export function newAgent(
  url: string,
  agentId: string,
  options: Partial<ChatClientOptions> = {},
): ChatClient {
  const client = new ChatClient({ hubUrl: url, agentId, timeoutMs: 10_000, ...options });
  clients.push(client);
  return client;
}

/** A connected client; ended by disconnectAgents. */
export async function connectAgent(
  url: string,
  agentId: string,
  options: Partial<ChatClientOptions> = {},
): Promise<ChatClient> {
  const client = newAgent(url, agentId, options);
  await client.connect();
  return client;
}

/** Call it in afterEach. */
export async function disconnectAgents(): Promise<void> {
  await Promise.all(clients.splice(0).map((client) => client.disconnect()));
}

/** A promise, and the function that fulfils it. */
export function signal<T = void>(): { promise: Promise<T>; give: (value: T) => void } {
  let give: (value: T) => void = () => {};
  const promise = new Promise<T>((resolve) => {
    give = resolve;
  });
  return { promise, give };
}

/** Collects what it is given, and tells when there are so many. */
export interface Collection<T> {
  readonly items: T[];
  add(item: T): void;
  /** Resolves once at least this many were added. */
  reached(count: number): Promise<T[]>;
}

export function collect<T>(): Collection<T> {
  const items: T[] = [];
  const waiting = new Set<() => void>();
  return {
    items,
    add(item) {
      items.push(item);
      for (const look of [...waiting]) look();
    },
    reached: (count) =>
      new Promise((resolve) => {
        const look = () => {
          if (items.length < count) return;
          waiting.delete(look);
          resolve(items);
        };
        waiting.add(look);
        look();
      }),
  };
}

/** The next value of an iterator that must have one. */
export async function take<T>(iterator: AsyncIterator<T, unknown>): Promise<T> {
  const result = await iterator.next();
  if (result.done) throw new Error("the loop ended");
  return result.value;
}
