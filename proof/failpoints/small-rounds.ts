import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type HubProcess,
  type HubProcessOptions,
  startHubProcess,
} from "../support/hub-process.ts";
import { emptyRound, type Kills, type Load, type Round } from "./round.ts";
import { type Acked, missingIn } from "./stored-entries.ts";

/** What a load is given for one kill. */
export interface Stage extends Kills {
  db: string;
  /** Starts a hub on the file; it is ended with the kill's folder, if it still runs. */
  start(options?: Omit<HubProcessOptions, "db">): Promise<HubProcess>;
  /** Starts a hub that is to end itself before it serves; whether it did so by SIGKILL. */
  startAndDie(options: Omit<HubProcessOptions, "db">): Promise<boolean>;
  /** Notes a violation, with its kind in front: `lost: …`. */
  violated(sentence: string): void;
}

/** One kill, from the beginning to the check; says what has a receipt and whether the place was reached. */
export type Kill = (stage: Stage) => Promise<{ reached: boolean; acked: Acked[] }>;

/** Makes a load of single kills, each on a file of its own, which is checked afterwards. */
export function killByKill(kill: Kill): Load {
  return async (of) => {
    const round = emptyRound();
    for (let count = 0; count < of.kills; count += 1) await killOnce(of, kill, round);
    return round;
  };
}

async function killOnce(of: Kills, kill: Kill, round: Round): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "claw-chat-failpoint-"));
  const db = join(folder, "hub.db");
  const hubs: HubProcess[] = [];
  const found: string[] = [];
  const start: Stage["start"] = async (options = {}) => {
    const hub = await startHubProcess({ ...options, db });
    hubs.push(hub);
    return hub;
  };
  const stage: Stage = {
    ...of,
    ...{ db, start },
    async startAndDie(options) {
      try {
        await (await start(options)).end();
        return false;
      } catch (error) {
        if (String(error).includes("(SIGKILL)")) return true;
        throw error;
      }
    },
    violated: (sentence) => found.push(sentence),
  };
  try {
    const { reached, acked } = await kill(stage);
    for (const hub of hubs) await hub.end("SIGTERM");
    found.push(...missingIn(db, acked));
    round.kills += 1;
    round.unreached += reached ? 0 : 1;
    round.acked += acked.length;
  } catch (error) {
    // Above all a hub that does not open what the killed one has left.
    found.push(`lost: ${error instanceof Error ? error.message : String(error)}`);
  } finally {
    for (const hub of hubs) await hub.end();
  }
  for (const sentence of found) {
    const [kind = ""] = sentence.split(":");
    if (kind in round.counts) round.counts[kind as keyof Round["counts"]] += 1;
    round.sentences.push(sentence);
  }
  if (found.length === 0) await rm(folder, { recursive: true });
  else round.sentences.push(`kept: ${folder}`);
}
