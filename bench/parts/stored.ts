import { join } from "node:path";
import type { Bench } from "../measure/bench.ts";
import {
  cpuUs,
  measureOnce,
  perSecond,
  type Rounds,
  standardLoad,
  warmUp,
} from "../measure/rounds.ts";
import { ratioOf, spreadOf } from "../measure/statistics.ts";
import { loadTable } from "../report/load-table.ts";
import { newTable, times, whole } from "../report/new-table.ts";
import type { Part } from "../report/part.ts";
import { startHub } from "../systems/start-hub.ts";
import { fillDatabase } from "./fill-database.ts";

/** With --full, and without: filling takes as long as a round of everything else. */
const CHATS = 10_000;
const FEWER_CHATS = 4_000;
const MESSAGES = 100;
const RETURNING = 1_000;
const SIZE_BYTES = 256;
const PAGE = 50;

/** Goals 4 and 5: what it costs that much is stored, reading it, and coming back to it. */
export async function stored(bench: Bench): Promise<Part[]> {
  const chats = bench.small ? 100 : bench.full ? CHATS : FEWER_CHATS;
  const returning = bench.small ? 10 : RETURNING;
  const { folder, say } = bench;
  const rounds = Math.min(bench.rounds, 3);
  const db = join(folder, "full.db");
  const full = await startFull();
  const count = whole((chats + returning * rounds) * MESSAGES);
  const empty = await startHub({
    db: join(folder, "empty.db"),
    name: "this hub, empty database",
  });

  const live: Rounds = new Map([empty, full].map((system) => [system, []]));
  const back: { rate: number; cpuUs: number }[] = [];
  const load = { ...standardLoad(bench), storedChats: true };
  await warmUp(bench, live.keys(), load);
  for (let round = 0; round < rounds; round += 1) {
    for (const [system, soFar] of live) {
      soFar.push(await measureOnce(bench, system, load));
    }
    const { target, pid: serverPid } = full;
    const {
      messages,
      seconds,
      serverCpuUs = Number.NaN,
    } = await bench.ask({
      ...{ kind: "resume", target, serverPid, messages: MESSAGES, sizeBytes: SIZE_BYTES },
      ...{ first: round * returning, agents: returning },
    });
    back.push({ rate: messages / seconds, cpuUs: serverCpuUs / messages });
    say(`  round ${round + 1} of ${rounds}: ${whole(messages / seconds)} replayed/s`);
  }
  const history = await bench.ask({
    ...{ kind: "history", target: full.target, chats, messages: MESSAGES },
    ...{ sizeBytes: SIZE_BYTES, pages: bench.small ? 50 : 1_000, limit: PAGE },
  });
  await empty.end();
  await full.end();

  const [emptyLive = [], fullLive = []] = [...live.values()];
  const cost = ratioOf(fullLive.map(cpuUs), emptyLive.map(cpuUs)).median;
  const rates = back.map(({ rate }) => rate);
  const resuming = ratioOf(rates, fullLive.map(perSecond)).median;
  const table = newTable(["", "messages/s", "least–most", "CPU µs/message"], "lrrr");
  const rate = spreadOf(rates);
  table.push([
    `${whole(returning)} agents come back to ${MESSAGES} messages each`,
    whole(rate.median),
    `${whole(rate.least)}–${whole(rate.most)}`,
    spreadOf(back.map((one) => one.cpuUs)).median.toFixed(1),
  ]);
  const note = `${count} messages, ${whole(chats + returning * rounds)} channels`;
  return [
    {
      title: `64 pairs, 32 in flight, with ${note} stored before`,
      text: loadTable(live),
      findings: { stored_cost: { measured: cost, note } },
    },
    {
      title: "Coming back, on the full database; from the first connection to the last delivery",
      text: `${table}\nratio to live delivery ${times(resuming)}`,
      findings: { resuming: { measured: resuming, note: `${whole(returning)} agents` } },
    },
    {
      title: `A history page of ${PAGE} from the full database, each of another chat`,
      text:
        `p50 ${history.p50Ms.toFixed(3)} ms, p99 ${history.p99Ms.toFixed(3)} ms; ` +
        `a request that reads nothing: p50 ${history.emptyP50Ms.toFixed(3)} ms`,
      findings: { history_page: { measured: history.p50Ms, note: "round trip, p50" } },
    },
  ];

  /** A hub makes the file; then it is filled while none runs on it. */
  async function startFull() {
    const options = { db, name: "this hub, full database" };
    await (await startHub(options)).end();
    const waiting = returning * rounds;
    await fillDatabase({ db, chats, waiting, messages: MESSAGES, sizeBytes: SIZE_BYTES, say });
    return startHub(options);
  }
}
