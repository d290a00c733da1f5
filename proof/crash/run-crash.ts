import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { freePort } from "../support/free-port.ts";
import {
  type HubProcess,
  type HubProcessOptions,
  startHubProcess,
} from "../support/hub-process.ts";
import { type Random, randomFrom } from "../support/random.ts";
import { type CastMember, crashCast } from "./cast.ts";
import type { Findings } from "./check.ts";
import { checkFolder, DB_NAME } from "./check-folder.ts";
import { startLoad } from "./load.ts";
import type { LoadWord } from "./load-words.ts";
import { watchReturns } from "./returns.ts";
import type { Strike } from "./strike.ts";

/** How a hub is started beside its file and its address. */
export type HubExtras = Pick<HubProcessOptions, "args" | "nodeArgs" | "under" | "env">;

export interface CrashOptions {
  kills: number;
  seed: number;
  strike: Strike;
  /**
   * More for the nth hub, from 0; the one after the last kill, which finishes the work, is
   * number `kills`.
   */
  hub?: (life: number) => HubExtras;
  /**
   * The hubs end by themselves, perhaps before they serve. Then the services are registered at one
   * more in the beginning, which is started like the last.
   */
  endsItself?: boolean;
  cast?: CastMember[];
  /** Where to put the file and the journals, to be kept; it must not exist. Default: a temporary one. */
  folder?: string | undefined;
  /** Told now and then how far it is. */
  progress?: (sentence: string) => void;
  /** Called when the load has left: agents of the caller's own leave the last hub here. */
  leave?: () => Promise<void>;
  /** Hears every word of the load's processes. */
  onWord?: (word: LoadWord) => void;
}

/** What a run showed. */
export interface CrashResult extends Findings {
  kills: number;
  /** Hubs that were to end by themselves and had to be killed. */
  fallbacks: number;
  /** Hubs that ended before they served. */
  failedStarts: number;
  /** From the blow to the next hub's word that it serves, in milliseconds; one a restart. */
  servingAgainMs: number[];
  /** From the blow to the next new receipt. */
  receiptsAgainMs: number[];
  /** From the signal to the end of the process. */
  stopMs: number[];
  /** The folder with the file and the journals; gone where nothing was violated. */
  folder: string;
}

/** The same that the tests use. */
const COMPILE_CACHE = fileURLToPath(new URL("../../node_modules/.cache/compile", import.meta.url));
/** Each time after so many kills, all clients of the package are waited for: they come back more slowly. */
const EVERYBODY_EVERY = 20;
const BACK_WITHIN_MS = 60_000;
/** How long nothing may move in the end while there is something left to deliver or to ack. */
const QUIET_MS = 8_000;
/** How long the last hub may take to give a receipt. */
const SILENCE_MS = 30_000;
/**
 * Lets a load run against a hub that is brought to its end again and again, and compares what
 * the clients saw with what is in the file.
 * @throws where the run could not be done at all: no hub, or a load that broke
 */
export async function runCrash(options: CrashOptions): Promise<CrashResult> {
  const random = randomFrom(options.seed);
  const folder = options.folder ?? (await mkdtemp(join(tmpdir(), "claw-chat-crash-")));
  await mkdir(folder, { recursive: true });
  const run = await kill(options, random, folder).catch((error: Error) => {
    throw new Error(`${error.message}\nkept: ${folder}`, { cause: error });
  });
  const findings = await checkFolder(folder);
  findings.counts.lost += run.wrong.length;
  findings.sentences.push(...run.wrong.map((sentence) => `lost: ${sentence}`));
  const held = findings.sentences.length === 0;
  if (held && options.folder === undefined) await rm(folder, { recursive: true });
  const { fallbacks, failedStarts, servingAgainMs, receiptsAgainMs, stopMs } = run;
  return {
    ...findings,
    ...{ kills: options.kills, fallbacks, failedStarts },
    ...{ servingAgainMs, receiptsAgainMs, stopMs, folder },
  };
}

async function kill(options: CrashOptions, random: Random, folder: string) {
  const { kills, strike, hub: extras = (): HubExtras => ({}), progress = () => {} } = options;
  const db = join(folder, DB_NAME);
  const listen = `127.0.0.1:${await freePort(random)}`;
  const seen = {
    ...{ fallbacks: 0, failedStarts: 0 },
    ...{ servingAgainMs: [] as number[], receiptsAgainMs: [] as number[], stopMs: [] as number[] },
    wrong: [] as string[],
  };

  async function start(life: number): Promise<HubProcess> {
    const { args = [], env = {}, ...more } = extras(life);
    return await startHubProcess({
      ...{ db, listen, ...more },
      args: ["--log-level", "warn", ...args],
      // Compiling it takes longer than starting it, and is not what is looked at here.
      env: { NODE_COMPILE_CACHE: COMPILE_CACHE, ...env },
    });
  }

  /** Starts hubs from this one on until one serves; one that ended itself before was killed too. */
  async function startServing(from: number): Promise<number> {
    for (let life = from; ; life += 1) {
      try {
        hub = await start(life);
        return life;
      } catch (error) {
        if (!endsItself || life >= kills) throw error;
        seen.failedStarts += 1;
      }
    }
  }

  const { endsItself = false } = options;
  let hub = await start(endsItself ? kills : 0);
  const cast = options.cast ?? crashCast();
  const packaged = cast.filter((member) => member.client === "package").length;
  const returns = watchReturns();
  const load = await startLoad({
    cast,
    address: listen,
    seed: options.seed,
    folder,
    onWord(word) {
      returns.hear(word);
      options.onWord?.(word);
    },
  });
  let firstLife = 0;
  if (endsItself) {
    await hub.end("SIGTERM");
    firstLife = await startServing(0);
  }
  let struckAtMs: number | undefined;

  async function everybodyBack(): Promise<void> {
    const back = await Promise.race([returns.all(packaged), late(BACK_WITHIN_MS)]);
    if (back === "late") seen.wrong.push(`not all were back within ${BACK_WITHIN_MS} ms`);
  }

  async function work(): Promise<void> {
    for (let life = firstLife; life < kills; ) {
      const receipts = load.dial();
      const since = struckAtMs;
      if (since !== undefined) {
        void receipts(1).then(() => seen.receiptsAgainMs.push(performance.now() - since));
      }
      if (life % EVERYBODY_EVERY === EVERYBODY_EVERY - 1) await everybodyBack();
      const struck = await strike({ hub, receipts, random });
      returns.gone();
      struckAtMs = struck.atMs;
      seen.stopMs.push(struck.stopMs);
      if (struck.fallback) seen.fallbacks += 1;
      if (struck.wrong !== undefined) seen.wrong.push(`kill ${life + 1}: ${struck.wrong}`);
      life = await startServing(life + 1);
      seen.servingAgainMs.push(performance.now() - struckAtMs);
      if (life % 10 === 0) progress(`${life} of ${kills} kills`);
    }
    const receipts = load.dial();
    const first = await Promise.race([receipts(1), late(SILENCE_MS)]);
    if (first === "late") seen.wrong.push("the last hub gave no receipts");
    load.close();
    // After many kills a client may wait for longer than nothing may move.
    await everybodyBack();
    const unsettled = await load.settled(QUIET_MS);
    if (unsettled.length > 0) seen.wrong.push(`never came to rest: ${unsettled.join(", ")}`);
    await load.leave();
    await options.leave?.();
    const { code, signal } = await hub.end("SIGTERM");
    if (code !== 0) seen.wrong.push(`the last hub ended with ${signal ?? code}: ${hub.log()}`);
  }

  try {
    await Promise.race([work(), load.broken]);
  } finally {
    load.kill();
    if (hub.child.exitCode === null && hub.child.signalCode === null) await hub.end();
  }
  return seen;
}

function late(afterMs: number): Promise<"late"> {
  return setTimeout(afterMs, "late", { ref: false });
}
