/**
 * An agent as a process of its own, on the package's client or on the bare generated stub: sends
 * messages without end, or takes them. Told `figures`, it reports what it has done and used so far.
 */
import "../../proof/support/end-with-parent.ts";
import { type Talk, talkWithClient } from "./with-client.ts";
import { talkWithStub } from "./with-stub.ts";

/** What an agent is to do. */
export interface TalkerOrder {
  kind: "talk";
  how: "client" | "stub";
  address: string;
  apiKey: string;
  agentId: string;
  /** Who it sends to; one without only takes. */
  peerId?: string;
  /** Messages that are on their way. */
  inFlight: number;
  sizeBytes: number;
}

export type TalkerReport =
  | { kind: "connected" }
  | { kind: "figures"; messages: number; cpuUs: number }
  | { kind: "failed"; message: string };

let talk: Talk | undefined;

async function follow(order: TalkerOrder | { kind: "figures" }): Promise<TalkerReport> {
  if (order.kind === "talk") {
    talk = await (order.how === "client" ? talkWithClient : talkWithStub)(order, fail);
    return { kind: "connected" };
  }
  const { user, system } = process.cpuUsage();
  return { kind: "figures", messages: talk?.messages() ?? 0, cpuUs: user + system };
}

function fail(error: Error): void {
  report({ kind: "failed", message: error.message });
}

function report(what: TalkerReport): void {
  process.send?.(what);
}

process.on("message", (order: TalkerOrder | { kind: "figures" }) => {
  void follow(order).then(report, fail);
});
