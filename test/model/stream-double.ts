import { Metadata } from "@grpc/grpc-js";
import { AGENT_ID_KEY, RECEIVE_KEY } from "../../src/protocol/call-metadata.js";
import type { ConnectStream, StreamReader } from "../../src/server/connect-stream.js";

export type Mode = "none" | "manual" | "auto";

/** What a client's end of a stream is told. */
export interface StreamEvents {
  /** The hub wrote a response; so many responses and bytes were on their way before. */
  written(bytes: Uint8Array, before: { items: number; bytes: number }): void;
  /** A request is about to reach the hub. */
  read(request: Uint8Array): void;
  /** The hub is about to learn that the client has half-closed. */
  halfClosed(): void;
  /** The transport has a response. */
  taken(bytes: Uint8Array): void;
  /** The client has a response. */
  received(bytes: Uint8Array): void;
  /** The stream is over: with a status where everything before it was taken. */
  ended(status: { code: number } | "ok" | "cut"): void;
  /** The hub did what it must not. */
  misused(what: string): void;
}

/** A Connect stream without a network, whose transport takes what it is told to. */
export interface StreamDouble {
  /** The hub's end. */
  readonly server: ConnectStream;
  readonly isClosed: boolean;
  /** The hub has not read for a while. */
  readonly wasPaused: boolean;
  /** The client sends; the hub reads it at once unless it has paused the stream. */
  send(request: Uint8Array): void;
  halfClose(): void;
  /** The transport takes so many responses, and the client gets them unless it lags. */
  take(count: number): void;
  /** Whether the transport takes responses by itself. */
  stall(stalled: boolean): void;
  isStalled(): boolean;
  /** Whether the client looks at what the transport has brought. */
  lag(lagging: boolean): void;
  /** Does what can be done without the hub. @returns whether anything was */
  pump(): boolean;
  /** The connection breaks: what was not received is lost. */
  cut(): void;
  /** The same, and there is no hub any more that could notice. */
  kill(): void;
}

/** Opens a stream; the hub is still to be given its end. */
export function openStream(agentId: string, mode: Mode, events: StreamEvents): StreamDouble {
  const metadata = new Metadata();
  metadata.set(AGENT_ID_KEY, agentId);
  metadata.set(RECEIVE_KEY, mode);
  let reader: StreamReader | undefined;
  let outgoing: { bytes: Uint8Array; taken: (error?: Error | null) => void }[] = [];
  let brought: Uint8Array[] = [];
  const incoming: (Uint8Array | "end")[] = [];
  let ending: { code: number } | "ok" | undefined;
  let paused = false;
  let wasPaused = false;
  let halfClosed = false;
  let stalled = false;
  let lagging = false;
  let closed = false;

  function close(status: { code: number } | "ok" | "cut"): void {
    closed = true;
    const lost = outgoing;
    outgoing = [];
    for (const { taken } of lost) taken(new Error("the stream is gone"));
    reader?.closed();
    events.ended(status);
  }

  function take(count: number): void {
    for (let left = count; left > 0 && !closed; left -= 1) {
      const response = outgoing.shift();
      if (response === undefined) break;
      brought.push(response.bytes);
      events.taken(response.bytes);
      response.taken();
    }
    if (outgoing.length === 0 && ending !== undefined && !closed) {
      receive();
      close(ending);
    }
  }

  function receive(): void {
    const got = brought;
    brought = [];
    for (const bytes of got) events.received(bytes);
  }

  function read(): boolean {
    let any = false;
    while (!paused && !closed) {
      const next = incoming.shift();
      if (next === undefined) break;
      any = true;
      if (next === "end") {
        events.halfClosed();
        reader?.halfClosed();
      } else {
        events.read(next);
        reader?.request(next);
      }
    }
    return any;
  }

  const server = {
    metadata,
    getPeer: () => "in memory",
    pause() {
      paused = true;
      wasPaused = true;
    },
    resume() {
      paused = false;
    },
    write(bytes: Uint8Array, taken: (error?: Error | null) => void): boolean {
      if (closed) {
        // The hub may learn of a broken connection later than we.
        taken(new Error("the stream is gone"));
        return false;
      }
      if (ending !== undefined) {
        events.misused("a response is written after the end");
        return false;
      }
      const onTheWay = outgoing.reduce((sum, one) => sum + one.bytes.length, 0);
      events.written(bytes, { items: outgoing.length, bytes: onTheWay });
      outgoing.push({ bytes, taken });
      return true;
    },
    end() {
      ending ??= "ok";
    },
    endWith({ code }: { code: number }) {
      ending = { code };
    },
    destroy() {
      if (!closed) close("cut");
    },
    readBy(by: StreamReader) {
      reader = by;
    },
  };

  return {
    server: server as unknown as ConnectStream,
    get isClosed() {
      return closed;
    },
    get wasPaused() {
      return wasPaused;
    },
    send(request) {
      if (closed || halfClosed) return;
      incoming.push(request);
      read();
    },
    halfClose() {
      if (closed || halfClosed) return;
      halfClosed = true;
      incoming.push("end");
      read();
    },
    take,
    stall(on) {
      stalled = on;
    },
    isStalled: () => stalled,
    lag(on) {
      lagging = on;
    },
    pump() {
      if (closed) return false;
      const any = read() || (!stalled && (outgoing.length > 0 || ending !== undefined));
      if (!stalled) take(Number.POSITIVE_INFINITY);
      if (!lagging) receive();
      return any;
    },
    cut() {
      if (!closed) close("cut");
    },
    kill() {
      if (closed) return;
      closed = true;
      events.ended("cut");
    },
  };
}
