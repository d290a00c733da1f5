import type { Logger } from "pino";
import type { HubFacts } from "./greeting.js";
import type { Logins } from "./logins.js";
import type { Rates } from "./rate.js";
import type { Receivers } from "./receivers.js";
import type { Session } from "./session.js";
import type { SessionPlaces } from "./session-places.js";
import type { Turns } from "./turns.js";

/** What all sessions of a hub share. */
export interface Sessions extends HubFacts {
  turns: Turns;
  receivers: Receivers;
  rates: Rates;
  places: SessionPlaces;
  logins: Logins;
  log: Logger;
  /** Every session whose stream is open. */
  open: Set<Session>;
  /** Those with receipts of the running turn to send. */
  withReceipts: Set<Session>;
  /** No further session is begun. */
  stopping: boolean;
  /** Called when the last open session is gone. */
  emptied: () => void;
}
