import "../support/end-with-parent.ts";
import { openGrpcReader } from "./grpc-reader.ts";
import { openHttp2Reader } from "./http2-reader.ts";
import { ackOf, placeOf, type Reader } from "./reader.ts";
import type { Mode, ReaderOrder, ReaderReport, SessionLog } from "./words.ts";

/** The readers of one kind. Who is cut off comes back, as a client would. */

const readers: Reader[] = [];
const sessions: Record<string, SessionLog[]> = {};
let upTo: Record<string, number> | undefined;

function open(of: Extract<ReaderOrder, { order: "open" }>, agentId: string, mode: Mode): void {
  const log: SessionLog = [];
  sessions[agentId] = [...(sessions[agentId] ?? []), log];
  const openReader = of.kind === "closed-window" ? openHttp2Reader : openGrpcReader;
  // A stopped process reads well: it is the process that is stopped.
  const shut = of.stalled && of.kind !== "stopped" && upTo === undefined;
  const reader = openReader({
    ...{ address: of.address, agentId, mode, shut },
    onResponse(response) {
      const place = placeOf(response);
      if (place === undefined) return;
      log.push(place.seq);
      if (mode === "manual") reader.send(ackOf(place));
      reportWhenDone();
    },
    onEnd: () => open(of, agentId, mode),
  });
  readers.push(reader);
}

function reportWhenDone(): void {
  if (upTo === undefined) return;
  for (const [agentId, seq] of Object.entries(upTo)) {
    if (!sessions[agentId]?.some((log) => log.includes(seq))) return;
  }
  upTo = undefined;
  process.send?.({ sessions } satisfies ReaderReport);
}

process.on("message", (order: ReaderOrder) => {
  if (order.order === "open") {
    for (const { agentId, mode } of order.agents) open(order, agentId, mode);
    return;
  }
  upTo = order.upTo;
  for (const reader of readers) reader.read();
  reportWhenDone();
});
