import { DatabaseSync } from "node:sqlite";
import { ChatClient } from "claw-chat-hub";
import { freePort } from "../support/free-port.ts";
import { armedHub } from "./round.ts";
import { killByKill } from "./small-rounds.ts";

const REQUESTS = 4;
const WAIT_MS = 300;

/** Requests run out while nobody answers; the hub ends at one of them, and each is rejected once. */
export const whileExpiring = killByKill(async (stage) => {
  const { failpoint, random, db, start, violated } = stage;
  const listen = `127.0.0.1:${await freePort(random)}`;
  const armed = await start({ listen, ...armedHub(failpoint, random) });
  await using client = new ChatClient({ hubUrl: listen, agentId: "con" });
  await client.connect();
  const requests = Array.from({ length: REQUESTS }, (_, index) =>
    client.requestChat({ providerId: `nobody-${index}`, answerWithinMs: WAIT_MS }),
  );
  // Seen below: a client may still be waiting for its receipt when the hub ends.
  const answers = Promise.all(requests);
  answers.catch(() => {});
  const { signal } = await armed.ended;
  await start({ listen });
  for (const { status } of await answers) {
    if (status !== "expired") violated(`lost: a request nobody answered was ${status}`);
  }
  const file = new DatabaseSync(db, { readOnly: true });
  const rows = file.prepare("SELECT channel, count(*) AS n FROM entries GROUP BY channel").all();
  file.close();
  if (rows.length !== REQUESTS) violated(`lost: ${rows.length} requests of ${REQUESTS} are there`);
  for (const { n } of rows) {
    if (n !== 2) violated(`duplicated: a channel has ${n} entries: a request and its end are two`);
  }
  return { reached: signal === "SIGKILL", acked: [] };
});
