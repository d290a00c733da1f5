import { refuse } from "../protocol/refusals.js";

/** The one fault of a request that ends its session (M5). */
export const NOT_DECODED = refuse(
  "NOT_DECODED",
  "the request is no ConnectRequest; check the stubs",
);
/** What a superseded session is told (I4). */
export const SUPERSEDED = refuse(
  "SUPERSEDED",
  "a newer session of this agent receives now; do not come back",
);
/** What a session is told whose client has gone silent (L3). */
export const HEARTBEAT_MISSED = refuse(
  "HEARTBEAT_MISSED",
  "nothing was heard of this session for too long; connect again",
);
/** What every session is told when the hub stops (L2). */
export const SHUTTING_DOWN = refuse("SHUTTING_DOWN", "the hub is going away; connect again");
