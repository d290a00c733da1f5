// The demo: a hub, a weather provider and two consumers, each a process of its
// own, walk through all six frames. What is printed is what those processes
// reported of the frames they sent and received. `--json` prints the frames alone.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { program } from "commander";
import { Journal } from "./journal.ts";
import { jsonNarrator, textNarrator } from "./narrator.ts";
import { startAgent, startHub } from "./processes.ts";
import { storyteller } from "./story.ts";

const TIMEOUT_MS = 60_000;
const QUESTIONS = ["How will Berlin be tomorrow?", "And Oslo?"];

const PROVIDER = "weather-provider";
const SURFER = "surf-planner";
const TRAVELLER = "trip-planner";

const { json } = program
  .name("npm run demo --")
  .description("Shows a whole conversation between a provider and two consumers.")
  .option("--json", "print the frames as they travel, an object a line")
  .parse()
  .opts<{ json?: true }>();
const tell = json ? jsonNarrator : textNarrator();
const journal = new Journal();
const abort = new AbortController();
const giveUp = (why: string) => {
  journal.fail(new Error(why));
  abort.abort(new Error(why));
};
setTimeout(() => giveUp(`it took longer than ${TIMEOUT_MS / 1000} s`), TIMEOUT_MS).unref();
for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.once(name, () => giveUp(`got ${name}`));
}
process.stdout.on("error", () => giveUp("nobody reads the output"));

const running: { stop(): Promise<void> }[] = [];
const folder = await mkdtemp(join(tmpdir(), "claw-chat-demo-"));
try {
  await converse();
} catch (error) {
  console.error(`demo failed: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
} finally {
  // The agents before their hub; one that has ended already stays ended.
  for (const { stop } of running.reverse()) await stop().catch(() => {});
  await rm(folder, { recursive: true, force: true });
}

async function converse(): Promise<void> {
  const story = storyteller(journal, tell);
  const hub = await startHub(folder, abort.signal);
  running.push(hub);
  const start = (agentId: string, script: string, ...args: string[]) => {
    const agent = startAgent(agentId, script, [hub.address, ...args], {
      hear: (report) => journal.add(agentId, report),
      failed: (error) => journal.fail(error),
    });
    running.push(agent);
    return agent;
  };

  const provider = start(PROVIDER, "weather-provider.ts");
  await story.offered(hub);
  const surfer = start(SURFER, "consumer.ts", SURFER, "When is high tide in Biarritz?");
  await story.rejected(SURFER);
  const wish = "I plan a journey and need forecasts.";
  const traveller = start(TRAVELLER, "consumer.ts", TRAVELLER, wish, ...QUESTIONS);
  await story.accepted(TRAVELLER);
  await story.talked(TRAVELLER, QUESTIONS.length);
  await story.ended(TRAVELLER);
  await story.readAgain(TRAVELLER);

  await Promise.all([surfer.ended(), traveller.ended()]);
  await provider.stop();
  await hub.stop();
  story.complete();
}
