import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Command } from "commander";
import { startHubProcess } from "../support/hub-process.ts";
import {
  applicationSilent,
  cablePulled,
  LATE_WORDS,
  NOTICE_MS,
  processStopped,
  type Scene,
  type Shown,
  takenOver,
} from "./cases.ts";
import { makeWorld, NoNamespaces, type World } from "./namespaces.ts";
import { startObserver } from "./observer.ts";

/** Longer than all of it takes, so that what never happens is said and not waited for. */
const PATIENCE_MS = 75_000;
const PLACES = 6;
const CASES = { cablePulled, processStopped, applicationSilent, takenOver };

new Command("half-open")
  .description(
    "Proves that silent peers are noticed: in network namespaces of its own, cables are pulled, " +
      "processes stopped and applications fall silent, and the hub shows each offline within 30 s, the " +
      "client notices as well and comes back, and a newer session takes over at once, after which the older " +
      "one stores nothing. Needs Linux, root and the command ip of iproute2.",
  )
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
  .parse();

const world = await makeWorld(PLACES).catch((error: unknown) => {
  if (!(error instanceof NoNamespaces)) throw error;
  console.error(error.cause);
  console.log("lacking=ip netns");
  process.exit(3);
});
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => void world.remove().finally(() => process.exit(1)));
}
process.exitCode = await prove(world).finally(() => world.remove());
// A case that never ends leaves processes behind, which end with this one.
process.exit();

async function prove(where: World): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), "claw-chat-half-open-"));
  const db = join(folder, "hub.db");
  const listen = `${where.hubIp}:0`;
  const hub = await startHubProcess({
    ...{ db, listen, under: where.underHub, args: ["--insecure", "--log-level", "info"] },
  });
  const observer = startObserver(hub.address, where.underHub);
  const scene: Scene = { world: where, address: hub.address, observer };
  const problems: string[] = [];
  const shown = await Promise.all(
    Object.entries(CASES).map(async ([name, play]) => {
      const result = await withinPatience(play(scene));
      problems.push(...result.broken.map((sentence) => `${name}: ${sentence}`));
      for (const [who, ms] of Object.entries(result.noticeMs ?? {})) {
        console.error(`${name}: the ${who} noticed after ${Math.round(ms)} ms`);
        if (ms > NOTICE_MS) problems.push(`${name}: the ${who} noticed after ${Math.round(ms)} ms`);
      }
      return result;
    }),
  );
  await observer.end();
  const { code, signal } = await hub.end("SIGTERM");
  if (code !== 0) problems.push(`the hub ended with ${signal ?? code}`);
  const storedLate = countStoredLate(db);
  if (storedLate > 0) problems.push(`the older session stored ${storedLate} entries or acks`);

  for (const problem of problems) console.log(problem);
  if (problems.length === 0) await rm(folder, { recursive: true, force: true });
  else
    console.log(
      `node proof/half-open/main.ts\n${hub.log()}\n  the hub's files are kept in ${folder}`,
    );
  const most = (times: (number | undefined)[]) => {
    const known = times.filter((ms) => ms !== undefined);
    return known.length === 0 ? "none" : Math.round(Math.max(...known));
  };
  const figures = {
    cases: shown.length,
    slowest_notice_ms: most(shown.flatMap(({ noticeMs }) => Object.values(noticeMs ?? {}))),
    takeover_ms: most(shown.map(({ takeoverMs }) => takeoverMs)),
    stored_late: storedLate,
    broken: problems.length,
    reconnect_ms: most(shown.map(({ reconnectMs }) => reconnectMs)),
  };
  const words = Object.entries(figures).map(([key, value]) => `${key}=${value}`);
  console.log(words.join(" "));
  return problems.length === 0 ? 0 : 1;
}

async function withinPatience(playing: Promise<Shown>): Promise<Shown> {
  let late: NodeJS.Timeout | undefined;
  const patience = new Promise<Shown>((resolve) => {
    const broken = [`not over after ${PATIENCE_MS} ms`];
    late = setTimeout(() => resolve({ broken }), PATIENCE_MS);
  });
  const failed = (error: unknown): Shown => ({ broken: [String(error)] });
  return Promise.race([playing.catch(failed), patience]).finally(() => clearTimeout(late));
}

/** Late messages in the file, and positions that only a late ack can have moved. */
function countStoredLate(path: string): number {
  const db = new DatabaseSync(path, { readOnly: true });
  const bodies = db.prepare("SELECT body FROM entries").all();
  const messages = bodies.filter(({ body }) =>
    Buffer.from(body as Uint8Array).includes(LATE_WORDS),
  );
  // Nobody else acks here.
  const moved = db
    .prepare(
      `SELECT count(*) AS count FROM channels
        WHERE (provider_id = 'mover' AND provider_position > 0)
          OR (consumer_id = 'mover' AND consumer_position > 0)`,
    )
    .get();
  db.close();
  return messages.length + Number(moved?.count);
}
