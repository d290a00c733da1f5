import type { HubProcessOptions } from "../support/hub-process.ts";
import type { Random } from "../support/random.ts";
import type { Failpoint } from "./failpoints.ts";

/** What the kills at one failpoint have shown. */
export interface Round {
  kills: number;
  /** Kills that were to happen and did not: the place was not passed. */
  unreached: number;
  /** Entries with a receipt. */
  acked: number;
  counts: { lost: number; duplicated: number; misordered: number; gaps: number };
  /** Every violation in words. */
  sentences: string[];
}

/** Which place, how many kills there, and what is random about them. */
export interface Kills {
  failpoint: Failpoint;
  kills: number;
  random: Random;
}

/** Kills hubs at a failpoint under the load that passes it. */
export type Load = (of: Kills) => Promise<Round>;

const REGISTER = new URL("../patches/register.ts", import.meta.url).href;

/** A hub that ends itself when it passes a failpoint for the nth time, drawn from the list's range. */
export function armedHub(
  { name, passes }: Failpoint,
  random: Random,
): Required<Pick<HubProcessOptions, "nodeArgs" | "env">> {
  return patchedHub({ FAILPOINT: `${name}@${random.int(1, passes)}` });
}

/** A hub under the load hook of `proof/patches`, with what its variables ask for. */
export function patchedHub(
  env: Record<string, string>,
): Required<Pick<HubProcessOptions, "nodeArgs" | "env">> {
  return { nodeArgs: ["--import", REGISTER], env };
}

/** A round in which nothing has happened yet. */
export function emptyRound(): Round {
  return {
    ...{ kills: 0, unreached: 0, acked: 0, sentences: [] },
    counts: { lost: 0, duplicated: 0, misordered: 0, gaps: 0 },
  };
}
