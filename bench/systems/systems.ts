import { join } from "node:path";
import { startRelay } from "./start-relay.ts";
import type { System } from "./system.ts";

/** The bare grpc-js relay: what all ratios are about. */
export function startBaseline(nodeArgs: string[] = []): Promise<System> {
  return startRelay({
    name: "grpc-js relay, stores nothing",
    file: "baseline-relay.ts",
    target: { protocol: "grpc", numbersSeq: true },
    nodeArgs,
  });
}

/** The relay on bare TCP: what Node.js can do at most. */
export function startCeiling(): Promise<System> {
  return startRelay({
    name: "TCP relay, stores nothing",
    file: "tcp-relay.ts",
    target: { protocol: "tcp", numbersSeq: false },
  });
}

/** What people would write with WebSockets and SQLite, committing each row or many together. */
export function startWebsocketRelay(folder: string, commits: "each" | "grouped"): Promise<System> {
  return startRelay({
    name: `ws + SQLite FULL, ${commits === "each" ? "each row" : "grouped"}`,
    file: "ws-relay.ts",
    args: [join(folder, `ws-${commits}.db`), `--${commits}`],
    target: { protocol: "ws", numbersSeq: true },
  });
}
