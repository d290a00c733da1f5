import { armedHub } from "./round.ts";
import { sendMessages } from "./sent-messages.ts";
import { killByKill } from "./small-rounds.ts";

/** A hub ends while it makes its database; the next one finishes that, and serves. */
export const whileCreating = killByKill(async ({ failpoint, random, start, startAndDie }) => {
  const reached = await startAndDie(armedHub(failpoint, random));
  const hub = await start();
  return { reached, acked: await sendMessages(hub.address, 20) };
});
