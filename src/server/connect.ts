import type { Caller } from "../hub/credentials.js";
import { ReceiveMode } from "../protocol/wire.js";
import { beginSession } from "./begin-session.js";
import { receiveMode, statusOf } from "./call-identity.js";
import type { ConnectStream } from "./connect-stream.js";
import { SHUTTING_DOWN } from "./farewells.js";
import type { Identified } from "./logins.js";
import { TOO_MANY_SESSIONS } from "./session-places.js";
import type { Sessions } from "./sessions.js";

/** Begins a session on a new Connect stream, or ends the stream with a status. */
export function connect(sessions: Sessions, stream: ConnectStream): void {
  if (sessions.stopping) {
    stream.endWith(statusOf(SHUTTING_DOWN));
    return;
  }
  const identity = sessions.logins.identify(stream);
  if (!(identity instanceof Promise)) {
    admit(sessions, stream, identity);
    return;
  }
  // Until then nobody reads the stream: what arrives is neither decoded nor lost.
  void identity.then((known) => {
    if (!stream.destroyed) admit(sessions, stream, known);
  });
}

function admit(sessions: Sessions, stream: ConnectStream, identity: Identified): void {
  if ("refusal" in identity) {
    stream.endWith(statusOf(identity.refusal));
    return;
  }
  const receive = receiveMode(stream.metadata);
  if ("refusal" in receive) stream.endWith(statusOf(receive.refusal));
  else if (sessions.stopping) stream.endWith(statusOf(SHUTTING_DOWN));
  else if (!takePlace(sessions, identity.caller, receive.mode)) {
    stream.endWith(statusOf(TOO_MANY_SESSIONS));
  } else beginSession(sessions, stream, identity, receive.mode);
}

function takePlace(
  { places, receivers }: Sessions,
  { agentId }: Caller,
  mode: ReceiveMode,
): boolean {
  const receives = mode !== ReceiveMode.RECEIVE_MODE_NONE;
  return places.take(agentId, receives && receivers.isOnline(agentId));
}
