import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { armedHub, patchedHub } from "./round.ts";
import { sendMessages } from "./sent-messages.ts";
import { killByKill } from "./small-rounds.ts";
import { missingIn } from "./stored-entries.ts";

/** The build that knows two versions more. */
const AHEAD = "two-versions-ahead";

/**
 * A file of today's hub is opened by one that knows two versions more, which ends on the way.
 * Opened again, it has both and every message; so has the copy that is kept of the older file.
 */
export const whileMigrating = killByKill(async (stage) => {
  const { failpoint, random, db, start, startAndDie, violated } = stage;
  const before = await start();
  const acked = await sendMessages(before.address, 100);
  await before.end("SIGTERM");

  const { MUTANT: mutant } = process.env;
  const newer = patchedHub({ MUTANT: [...(mutant ? [mutant] : []), AHEAD].join("+") });
  const armed = armedHub(failpoint, random);
  const reached = await startAndDie({ ...armed, env: { ...armed.env, ...newer.env } });
  const after = await start(newer);
  acked.push(...(await sendMessages(after.address, 20)));

  const file = new DatabaseSync(db, { readOnly: true });
  const copied = file.prepare("SELECT count(*) AS n FROM trial_copy").get()?.n;
  const seen = `SELECT count(*) AS n FROM entries JOIN entry_blocks AS block ON block.id = entries.id
    WHERE trial = block.seq`;
  const trial = file.prepare(seen).get()?.n;
  file.close();
  if (copied !== 100 || trial !== 100) {
    violated(`lost: of 100 entries the migrations have seen ${trial} and ${copied}`);
  }
  const folder = dirname(db);
  const kept = readdirSync(folder).filter((name) => /\.v\d+\.bak$/.test(name));
  if (kept.length === 0) violated("lost: no copy of the older file was kept");
  for (const copy of kept)
    for (const one of missingIn(join(folder, copy), acked.slice(0, 100))) violated(one);
  return { reached, acked };
});
