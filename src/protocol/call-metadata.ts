/** Names of the gRPC call metadata and trailers of the contract. */

/** Who is speaking. Required on every call. */
export const AGENT_ID_KEY = "claw-agent-id";
/** What a session receives: none, manual or auto. */
export const RECEIVE_KEY = "claw-receive";
/** Trailer of a refused call: the refusal's stable word. */
export const REASON_KEY = "claw-reason";
