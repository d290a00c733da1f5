import { constants, type ServerHttp2Stream } from "node:http2";
import {
  type Metadata,
  type ServerDuplexStream,
  ServerInterceptingCall,
  type ServerInterceptingCallInterface,
  type ServerInterceptor,
} from "@grpc/grpc-js";
import { ChatHubService } from "../protocol/wire.js";
import type { SessionStream } from "./session-stream.js";

type GrpcStream = ServerDuplexStream<Uint8Array, Uint8Array>;
type Listener = Parameters<ServerInterceptingCallInterface["start"]>[0];

interface Events {
  /** A request came in, as it was encoded. */
  data(request: Uint8Array): void;
  /** The client will send nothing more. */
  end(): void;
  /** The stream is gone. */
  close(): void;
  error(error: Error): void;
}

/** A stream of Connect, as far as a session needs it. It is read once there is a listener for data. */
export interface ConnectStream
  extends SessionStream,
    Pick<GrpcStream, "metadata" | "destroyed" | "getPeer" | "getAuthContext"> {
  on<Event extends keyof Events>(event: Event, listener: Events[Event]): unknown;
}

/** Calls of Connect that have begun, by the metadata that grpc-js hands to the handler as well. */
const calls = new WeakMap<Metadata, ConnectCall>();

/** Keeps the calls of Connect for `directStream`. To be the last of a server's interceptors. */
export const keepConnectCalls: ServerInterceptor = ({ path }, call) =>
  path === ChatHubService.connect.path ? new ConnectCall(call) : new ServerInterceptingCall(call);

/**
 * Takes requests and responses past a stream of grpc-js, which accepts a response only when the
 * transport has the one before, so that each becomes a system call of its own. Here they are handed
 * over together, and what the stream would do with each costs nothing (`npm run bench`). How much is
 * on its way is for the outbox to bound: it is told when the transport has a response, as the
 * stream would tell it (D4). Beginning and end of a call stay
 * with its stream.
 */
export function directStream(stream: GrpcStream): ConnectStream {
  const { metadata } = stream;
  const call = calls.get(metadata);
  if (call === undefined) throw new Error("keepConnectCalls has not seen this stream");
  return {
    metadata,
    get destroyed() {
      return stream.destroyed;
    },
    getPeer: () => stream.getPeer(),
    getAuthContext: () => stream.getAuthContext(),
    on(event: keyof Events, listener: Events[keyof Events]) {
      if (event === "data") call.onRequest(listener as Events["data"]);
      else if (event === "end") call.onHalfClose(listener as Events["end"]);
      else stream.on(event, listener);
    },
    pause: () => call.pause(),
    resume: () => call.resume(),
    write: (bytes, taken) => call.write(bytes, taken),
    end: () => call.finish(() => stream.end()),
    emit(event, status) {
      call.finish(() => stream.emit(event, status));
      return true;
    },
    destroy() {
      call.cut();
      stream.destroy();
    },
  };
}

/** grpc-js keeps the stream of HTTP/2 to itself, below all interceptors. */
function transportOf(call: object): ServerHttp2Stream {
  const { stream, nextCall } = call as { stream?: ServerHttp2Stream; nextCall?: object };
  if (stream !== undefined) return stream;
  if (nextCall === undefined) throw new Error("this grpc-js keeps its streams elsewhere");
  return transportOf(nextCall);
}

/** The call below a stream of Connect. */
class ConnectCall extends ServerInterceptingCall {
  readonly #call: ServerInterceptingCallInterface;
  readonly #transport: ServerHttp2Stream;
  #request: ((bytes: Uint8Array) => void) | undefined;
  #halfClosed: (() => void) | undefined;
  #isPaused = false;
  /** A request was asked for and has not come. */
  #isAwaited = false;
  #isAsking = false;
  #isGathering = false;
  /** Responses that the transport has not taken. */
  #onItsWay = 0;
  #finish: (() => void) | undefined;

  constructor(call: ServerInterceptingCallInterface) {
    super(call);
    this.#call = call;
    this.#transport = transportOf(call);
  }

  override start(listener: Listener): void {
    this.#call.start({
      onReceiveMetadata: (metadata) => {
        calls.set(metadata, this);
        listener.onReceiveMetadata(metadata);
      },
      onReceiveMessage: (bytes: Uint8Array) => {
        this.#isAwaited = false;
        this.#request?.(bytes);
        this.#ask();
      },
      onReceiveHalfClose: () => this.#halfClosed?.(),
      onCancel: () => listener.onCancel(),
    });
  }

  onRequest(listener: (bytes: Uint8Array) => void): void {
    this.#request = listener;
    // The other listeners are there by then.
    process.nextTick(() => this.#ask());
  }

  onHalfClose(listener: () => void): void {
    this.#halfClosed = listener;
  }

  /** One request more may come. */
  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#ask();
  }

  /** @param taken called when the transport has the bytes; never where the call is over before */
  write(bytes: Uint8Array, taken: () => void): void {
    this.#onItsWay += 1;
    this.#gather();
    this.#call.sendMessage(bytes, () => {
      this.#onItsWay -= 1;
      taken();
      this.#finishWhenTaken();
    });
  }

  /** What is written before anything else can happen goes to HTTP/2 in one go. */
  #gather(): void {
    if (this.#isGathering) return;
    this.#isGathering = true;
    this.#transport.cork();
    process.nextTick(() => {
      this.#isGathering = false;
      this.#transport.uncork();
    });
  }

  /** @param finish called once the transport has what was written; of several the last */
  finish(finish: () => void): void {
    this.#finish = finish;
    this.#finishWhenTaken();
  }

  /** Resets the call. What the transport has not sent is dropped: its client could read it for ever. */
  cut(): void {
    this.#transport.close(constants.NGHTTP2_CANCEL);
  }

  #finishWhenTaken(): void {
    if (this.#onItsWay > 0) return;
    this.#finish?.();
    this.#finish = undefined;
  }

  /** grpc-js calls back at once where it has a request already: a loop, so that many do not nest. */
  #ask(): void {
    if (this.#isAsking) return;
    this.#isAsking = true;
    while (this.#request !== undefined && !this.#isPaused && !this.#isAwaited) {
      this.#isAwaited = true;
      this.#call.startRead();
    }
    this.#isAsking = false;
  }
}
