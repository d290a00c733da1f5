import { checkFolder } from "./check-folder.ts";
import { figuresLine, lastLine, provedNothing, timesLine } from "./figures.ts";
import { readFlags } from "./flags.ts";
import { runCrash } from "./run-crash.ts";
import { awaitSelfKill, strikeAtRandom } from "./strike.ts";

const { check, kills, seed, drawn, signal, selfKill, extras, leastReceipts, folder } = readFlags();

const say = (sentence: string) => process.stderr.write(`${sentence}\n`);

async function checkAgain(kept: string): Promise<number> {
  const { sentences, figures, counts } = await checkFolder(kept);
  for (const sentence of sentences) say(sentence);
  const line = figuresLine({ acked: figures.acked, resent: figures.resent, ...counts });
  process.stdout.write(`${line}\n`);
  return sentences.length === 0 ? 0 : 1;
}

function sayAgain(): void {
  const words = [process.execPath, ...process.argv.slice(1)];
  if (drawn) words.push("--seed", String(seed));
  say(`again: ${words.map((word) => JSON.stringify(word)).join(" ")}`);
}

async function run(): Promise<number> {
  const result = await runCrash({
    ...{ kills, seed, folder },
    strike: selfKill ? awaitSelfKill() : strikeAtRandom(signal),
    // A hub that ends itself cannot finish the work: the last one does not.
    hub: (life) => (selfKill && life === kills ? { args: extras.args ?? [] } : extras),
    endsItself: selfKill,
    progress: say,
  });
  for (const sentence of result.sentences) say(sentence);
  const nothing = provedNothing(result, leastReceipts);
  if (nothing !== undefined) say(nothing);
  const broken = result.sentences.length > 0;
  if (broken || nothing !== undefined) sayAgain();
  if (broken) say(`kept: ${result.folder}`);
  process.stdout.write(`${timesLine(result)}\n${lastLine(result)}\n`);
  return broken || nothing !== undefined ? 1 : 0;
}

if (check !== undefined) {
  process.exitCode = await checkAgain(check);
} else {
  say(`seed ${seed}`);
  try {
    process.exitCode = await run();
  } catch (error) {
    say(`it could not be done: ${(error as Error).message}`);
    sayAgain();
    process.exitCode = 1;
  }
}
