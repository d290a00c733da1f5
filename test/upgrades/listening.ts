import type { KeptContract, ReadMessage } from "./kept-contract.js";
import type { RawHub, RawSession } from "./raw-hub.js";

/** A session of a release's client that hears until it has heard enough. */
export interface Listening {
  readonly session: RawSession;
  readonly heard: ReadMessage[];
  /** The first response that fits, as soon as it is there. */
  until(fits: (response: ReadMessage) => boolean): Promise<ReadMessage>;
}

/** Opens a manual session that reads by a release's contract. */
export function listen(hub: RawHub, contract: KeptContract, agent: string): Listening {
  const heard: ReadMessage[] = [];
  let wake = () => {};
  const session = hub.session({ agent, receive: "manual" }, (bytes) => {
    heard.push(contract.decode("ConnectResponse", bytes));
    wake();
  });
  return {
    session,
    heard,
    async until(fits) {
      for (;;) {
        const found = heard.find(fits);
        if (found !== undefined) return found;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
  };
}
