import { constants, type ServerHttp2Stream } from "node:http2";
import {
  Metadata,
  ServerInterceptingCall,
  type ServerInterceptingCallInterface,
  type ServerInterceptor,
  status,
} from "@grpc/grpc-js";
import { ChatHubService } from "../protocol/wire.js";
import type { IncomingCall } from "./logins.js";
import type { CallStatus, SessionStream } from "./session-stream.js";

/** Who is told what comes. */
export interface StreamReader {
  /** A request came in, as it was encoded. */
  request(bytes: Uint8Array): void;
  /** The client will send nothing more. */
  halfClosed(): void;
  /** The stream is gone. */
  closed(): void;
}

/** A stream of Connect, as far as a session needs it. */
export interface ConnectStream extends SessionStream, IncomingCall {
  readonly destroyed: boolean;
  /** It is read from now on. To be called once. */
  readBy(reader: StreamReader): void;
}

/**
 * Takes calls of Connect before grpc-js makes a stream of its own for each. That one accepts a
 * response only when the transport has the one before, so that each becomes a system call of its
 * own. Here they are handed over together, and what the stream would do with each costs nothing,
 * nor does it lie in memory while nobody says anything (`npm run bench`). How much is on its way
 * is for the outbox to bound: it is told when the transport has a response, as the stream would
 * tell it (D4). To be the last of a server's interceptors.
 * @param begin called with each call that has begun; where it throws, the call is reset
 */
export function takeConnectCalls(begin: (stream: ConnectStream) => void): ServerInterceptor {
  return ({ path }, call) =>
    path === ChatHubService.connect.path
      ? new TakenCall(call, begin)
      : (call as ServerInterceptingCall);
}

/** What grpc-js starts, so as to hear of a call itself. Nothing refers to it afterwards. */
class TakenCall extends ServerInterceptingCall {
  readonly #take: () => void;

  constructor(call: ServerInterceptingCallInterface, begin: (stream: ConnectStream) => void) {
    super(call);
    this.#take = () => call.start(new ConnectCall(call, begin));
  }

  override start(): void {
    this.#take();
  }
}

/** grpc-js keeps the stream of HTTP/2 to itself, below all interceptors. */
function transportOf(call: object): ServerHttp2Stream {
  const { stream, nextCall } = call as { stream?: ServerHttp2Stream; nextCall?: object };
  if (stream !== undefined) return stream;
  if (nextCall === undefined) throw new Error("this grpc-js keeps its streams elsewhere");
  return transportOf(nextCall);
}

type Listener = Parameters<ServerInterceptingCallInterface["start"]>[0];
const NO_METADATA = new Metadata();
const OK: CallStatus = { code: status.OK, details: "OK" };

/** A call of Connect: what grpc-js tells things to, and what a session has of it. */
class ConnectCall implements ConnectStream, Listener {
  readonly #call: ServerInterceptingCallInterface;
  readonly #transport: ServerHttp2Stream;
  readonly #begin: (stream: ConnectStream) => void;
  #reader: StreamReader | undefined;
  #isPaused = false;
  /** A request was asked for and has not come. */
  #isAwaited = false;
  #isAsking = false;
  #isGathering = false;
  /** Responses that the transport has not taken. */
  #onItsWay = 0;
  /** How the call is to end, once the transport has what was written. */
  #ending: CallStatus | undefined;
  #hasEnded = false;
  destroyed = false;
  metadata = NO_METADATA;

  constructor(call: ServerInterceptingCallInterface, begin: (stream: ConnectStream) => void) {
    this.#call = call;
    this.#transport = transportOf(call);
    this.#begin = begin;
  }

  onReceiveMetadata(metadata: Metadata): void {
    this.metadata = metadata;
    this.#begin(this);
  }

  onReceiveMessage(bytes: Uint8Array): void {
    this.#isAwaited = false;
    this.#reader?.request(bytes);
    this.#ask();
  }

  onReceiveHalfClose(): void {
    this.#reader?.halfClosed();
  }

  onCancel(): void {
    if (this.destroyed) return;
    this.destroyed = true;
    // Never within what its session is just doing.
    process.nextTick(() => {
      const reader = this.#reader;
      // A client that does not end its half keeps this for as long as its connection, but no session.
      this.#reader = undefined;
      reader?.closed();
    });
  }

  getPeer(): string {
    return this.#call.getPeer();
  }

  getAuthContext(): ReturnType<IncomingCall["getAuthContext"]> {
    return this.#call.getAuthContext();
  }

  readBy(reader: StreamReader): void {
    this.#reader = reader;
    process.nextTick(() => this.#ask());
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
      this.#endWhenTaken();
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

  end(): void {
    this.endWith(OK);
  }

  /** Of several endings the last counts that comes before the transport has what was written. */
  endWith(ending: CallStatus): void {
    if (!this.#hasEnded) this.#ending = ending;
    this.#endWhenTaken();
  }

  /** Resets the call. What the transport has not sent is dropped: its client could read it for ever. */
  destroy(): void {
    this.#transport.close(constants.NGHTTP2_CANCEL);
    // The transport says so only when its client has taken that.
    this.onCancel();
  }

  #endWhenTaken(): void {
    if (this.#onItsWay > 0 || this.#ending === undefined) return;
    const { code, details, metadata } = this.#ending;
    this.#hasEnded = true;
    // Its stack, as an error's, refers to the session.
    this.#ending = undefined;
    this.#call.sendStatus({ code, details, metadata });
  }

  /** grpc-js calls back at once where it has a request already: a loop, so that many do not nest. */
  #ask(): void {
    if (this.#isAsking) return;
    this.#isAsking = true;
    while (this.#reader !== undefined && !this.#isPaused && !this.#isAwaited) {
      this.#isAwaited = true;
      this.#call.startRead();
    }
    this.#isAsking = false;
  }
}
