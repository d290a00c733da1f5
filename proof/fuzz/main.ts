import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { startHubProcess } from "../support/hub-process.ts";
import { randomFrom } from "../support/random.ts";
import { atLeastOne, freshSeed, wholeNumber } from "../support/whole-number.ts";
import { attack, type Counts } from "./attacks.ts";
import { type Control, startControl } from "./control.ts";
import { fillPageCache } from "./fill-page-cache.ts";
import { FLOODS } from "./floods.ts";
import { MEMORY_FLAGS, residentMib } from "./memory.ts";

/** What a hub may keep of the machine's memory once the attacks are over. */
const ALLOWED_GROWTH_MIB = 32;
/** Attackers at once. */
const ATTACKERS = 8;
/** Before memory is first looked at: what is done once makes compiled code, pools and pages. */
const WARM_UP_SECONDS = 8;
const WARM_UP_SHARE = 0.2;

const program = new Command("fuzz")
  .description(
    "Proves that hostile input costs nobody else the hub: bytes that are no HTTP/2, frames and gRPC " +
      "messages that are wrong in one place, requests that are deep, huge or full of hostile values, and " +
      "floods, over loopback, against a hub of its own. Asserted: the hub goes on, two agents beside it keep " +
      `talking, and its memory returns to within ${ALLOWED_GROWTH_MIB} MiB.`,
  )
  .option("--seconds <n>", "for how long", atLeastOne, 20)
  .option(
    "--seed <n>",
    "repeats a run, as far as the timing of several attackers allows",
    wholeNumber,
  )
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
  .parse();
const { seconds, seed = freshSeed() } = program.opts<{ seconds: number; seed?: number }>();

process.exitCode = await prove();
// An attack on a hub that has gone may never end.
process.exit();

async function prove(): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), "claw-chat-fuzz-"));
  const hub = await startHubProcess({
    db: join(folder, "hub.db"),
    args: ["--log-level", "error"],
    nodeArgs: MEMORY_FLAGS,
  });
  let ended = false;
  const gone = hub.ended.then(() => {
    ended = true;
  });
  const random = randomFrom(seed);
  const counts: Counts = { connections: 0, calls: 0, frames: 0 };
  async function attackFor(duration: number): Promise<void> {
    const untilMs = performance.now() + duration * 1000;
    const attackers = Array.from({ length: ATTACKERS }, () => randomFrom(random.int(0, 2 ** 30)));
    const attacks = attackers.map(async (own) => {
      while (performance.now() < untilMs && !ended) await attack(hub.address, own, counts);
    });
    await Promise.race([Promise.all(attacks), gone]);
  }
  const problems: string[] = [];
  let control: Control | undefined;
  let [startMib, beforeMib, afterMib, stockedMib] = [NaN, NaN, NaN, NaN];
  try {
    const hubUrl = `grpc://${hub.address}`;
    control = await startControl(hubUrl);
    startMib = (await residentMib(hub)).mib;
    await fillPageCache(hubUrl);
    for (const flood of Object.values(FLOODS)) {
      await Promise.race([flood(hub.address, WARM_UP_SHARE), gone]);
    }
    await attackFor(Math.min(seconds, WARM_UP_SECONDS));
    beforeMib = (await residentMib(hub)).mib;
    console.error(`warmed up; ${beforeMib.toFixed(1)} MiB`);
    await attackFor(seconds);
    console.error("the attacks are over");
    const after = await residentMib(hub, beforeMib + ALLOWED_GROWTH_MIB / 2);
    [afterMib, stockedMib] = [after.mib, after.stockedMib];
  } catch (error) {
    problems.push(String(error));
  }
  await control?.end();
  const endedByItself = ended;
  if (endedByItself) problems.push(`the hub ended by itself: ${hub.log()}`);
  const { code } = await hub.end("SIGTERM");
  if (!endedByItself && code !== 0) problems.push(`the hub ended with ${code}: ${hub.log()}`);
  problems.push(...(control?.failed ?? []));
  const growthMib = afterMib - beforeMib;
  if (!(growthMib <= ALLOWED_GROWTH_MIB)) {
    problems.push(`memory: ${beforeMib.toFixed(1)} MiB before, ${afterMib.toFixed(1)} MiB after`);
  }
  const { ok = 0, slowestMs = NaN, failed = [] } = control ?? {};
  if (ok === 0 || counts.calls === 0) problems.push("nothing was proved: too little was done");
  for (const problem of problems) console.log(problem);
  if (problems.length === 0) await rm(folder, { recursive: true, force: true });
  else {
    console.log(`node proof/fuzz/main.ts --seconds ${seconds} --seed ${seed}`);
    console.log(`  the hub's files are kept in ${folder}`);
  }
  const figures = {
    seconds,
    ...counts,
    control_ok: ok,
    control_failed: failed.length,
    hub_ended: endedByItself ? 1 : 0,
    rss_start_mib: startMib.toFixed(1),
    rss_before_mib: beforeMib.toFixed(1),
    rss_after_mib: afterMib.toFixed(1),
    rss_growth_mib: growthMib.toFixed(1),
    rss_stocked_mib: stockedMib.toFixed(1),
    control_slowest_ms: slowestMs.toFixed(0),
    seed,
  };
  console.log(
    Object.entries(figures)
      .map(([key, value]) => `${key}=${value}`)
      .join(" "),
  );
  return problems.length === 0 ? 0 : 1;
}
