import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import type { Store } from "../../src/hub/store.js";
import { type Hub, type HubOptions, startHub } from "../../src/server/hub.js";
import { openSqliteStore } from "../../src/store/sqlite/open.js";

/** A real hub on a real file, on a free port of the loopback interface. */
export interface TestHub {
  /** `127.0.0.1:port`; stays the same over a restart. */
  readonly address: string;
  /** The same for the client, `grpc://127.0.0.1:port`. */
  readonly url: string;
  /** The database file. */
  readonly dbPath: string;
  /** How many entries the log has in all. */
  entryCount(): number;
  /** Stops the hub and closes the store, as SIGTERM would. */
  halt(): Promise<void>;
  /** Serves again on the same port and file. */
  resume(): Promise<void>;
  /** halt, then resume. */
  restart(): Promise<void>;
  /** halt, and removes the files. */
  stop(): Promise<void>;
}

/** Starts a hub with a database of its own. */
export async function startTestHub(options: Partial<HubOptions> = {}): Promise<TestHub> {
  const folder = await mkdtemp(join(tmpdir(), "claw-chat-test-"));
  const dbPath = join(folder, "hub.db");
  let running: { hub: Hub; store: Store } | undefined;
  let address = "";

  async function resume(): Promise<void> {
    const store = await openSqliteStore({ path: dbPath, busyTimeoutMs: 50 });
    const hub = await startHub({ listen: address || "127.0.0.1:0", ...options, store });
    address = hub.address;
    running = { hub, store };
  }
  async function halt(): Promise<void> {
    const { hub, store } = running ?? {};
    running = undefined;
    await hub?.stop();
    await store?.close();
  }

  await resume();
  return {
    address,
    url: `grpc://${address}`,
    dbPath,
    entryCount() {
      const database = new Database(dbPath, { readonly: true });
      try {
        const row = database.prepare<[], { count: number }>(
          "SELECT count(*) AS count FROM entries",
        );
        return row.get()?.count ?? 0;
      } finally {
        database.close();
      }
    },
    halt,
    resume,
    async restart() {
      await halt();
      await resume();
    },
    async stop() {
      await halt();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
