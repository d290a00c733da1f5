import { setImmediate } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Metadata, type ServerInterceptingCallInterface } from "@grpc/grpc-js";
import { expect, test } from "vitest";
import { ChatHubService } from "../../src/protocol/wire.js";
import { statusOf } from "../../src/server/call-identity.js";
import {
  type ConnectStream,
  type StreamReader,
  takeConnectCalls,
} from "../../src/server/connect-stream.js";
import { SUPERSEDED } from "../../src/server/farewells.js";

type Listener = Parameters<ServerInterceptingCallInterface["start"]>[0];

/** Ends its call in a method of its own, as a session does. */
class Session implements StreamReader {
  readonly #stream: ConnectStream;
  constructor(stream: ConnectStream) {
    this.#stream = stream;
  }
  request(): void {
    this.#stream.endWith(statusOf(SUPERSEDED));
  }
  halfClosed(): void {}
  closed(): void {}
}

test("G14: a call that is over keeps no session, though its client does not end its half", async () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  let session: WeakRef<Session> | undefined;
  let listener: Listener | undefined;
  const statuses: unknown[] = [];
  const below = {
    stream: { cork() {}, uncork() {} },
    start(by: Listener) {
      listener = by;
    },
    startRead() {},
    sendStatus: (status: unknown) => void statuses.push(status),
  } as unknown as ServerInterceptingCallInterface;
  const take = takeConnectCalls((stream) => {
    const reader = new Session(stream);
    session = new WeakRef(reader);
    stream.readBy(reader);
  });
  take(ChatHubService.connect as never, below).start(undefined as never);
  listener?.onReceiveMetadata(new Metadata());
  listener?.onReceiveMessage(new Uint8Array());
  listener?.onCancel();
  for (let round = 0; round < 10 && session?.deref() !== undefined; round += 1) {
    await setImmediate();
    collect();
  }
  expect(statuses).toHaveLength(1);
  expect(session?.deref()).toBeUndefined();
  // The HTTP/2 stream has it still.
  expect(listener).toBeDefined();
});
