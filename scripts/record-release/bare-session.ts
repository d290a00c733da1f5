import type { JsonObject } from "@bufbuild/protobuf";
import type { KeptContract } from "../../test/upgrades/kept-contract.ts";
import type { RawHub } from "../../test/upgrades/raw-hub.ts";
import type { RecordedEnd } from "../../test/upgrades/recording.ts";

/** A session without a client, for what the client of a release would not say. */
export interface BareSession {
  /** Sends a frame under a request id of its own, and waits for the answer. */
  ask(request: JsonObject): Promise<JsonObject>;
  /** The same, where the answer must be a refusal for this reason. */
  refused(reason: string, request: JsonObject): Promise<void>;
  /** Sends acks alone, and waits until the hub has taken them. */
  ack(channelId: string, seq: number): Promise<void>;
  /** Resolves when a response fits that no earlier call was given. */
  next(fits: (response: JsonObject) => boolean): Promise<JsonObject>;
  /** Half-closes, and waits for the end. */
  leave(): Promise<RecordedEnd>;
  readonly ended: Promise<RecordedEnd>;
}

/** Opens one and waits for its greeting. */
export async function openBareSession(
  hub: RawHub,
  contract: KeptContract,
  caller: { agent: string; receive?: string },
): Promise<BareSession> {
  const untaken: JsonObject[] = [];
  let waiting: (() => void)[] = [];
  let requests = 0;
  const session = hub.session(caller, (bytes) => {
    untaken.push(contract.decode("ConnectResponse", bytes).json);
    const wake = waiting;
    waiting = [];
    for (const look of wake) look();
  });

  async function next(fits: (response: JsonObject) => boolean): Promise<JsonObject> {
    for (;;) {
      const index = untaken.findIndex(fits);
      const [found] = index < 0 ? [] : untaken.splice(index, 1);
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => waiting.push(resolve));
    }
  }

  async function ask(request: JsonObject): Promise<JsonObject> {
    requests += 1;
    const requestId = `${caller.agent}-${requests}`;
    session.send(contract.encode("ConnectRequest", { requestId, ...request }));
    return next((response) => {
      const receipts = (response.receipts as JsonObject[] | undefined) ?? [];
      return (
        response.requestId === requestId || receipts.some((one) => one.requestId === requestId)
      );
    });
  }

  await next((response) => response.sessionStarted !== undefined);
  return {
    ask,
    async refused(reason, request) {
      const { error } = (await ask(request)) as { error?: JsonObject };
      if (error?.reason !== reason) throw new Error(`${error?.reason} came instead of ${reason}`);
    },
    async ack(channelId, seq) {
      session.send(contract.encode("ConnectRequest", { acks: [{ channelId, seq }] }));
      await ask({ heartbeat: true });
    },
    next,
    leave() {
      session.halfClose();
      return session.ended;
    },
    ended: session.ended,
  };
}
