/** Names of the gRPC call metadata and trailers of the contract. */

/** Who is speaking. Required where no credentials say it. */
export const AGENT_ID_KEY = "claw-agent-id";
/** `Bearer` and an API key or a token. */
export const AUTHORIZATION_KEY = "authorization";
/** What a session receives: none, manual or auto. */
export const RECEIVE_KEY = "claw-receive";
/** Trailer of a refused call: the refusal's stable word. */
export const REASON_KEY = "claw-reason";
/** Trailer of a call that was refused for now: how long to wait, in milliseconds. */
export const RETRY_AFTER_KEY = "claw-retry-after-ms";
