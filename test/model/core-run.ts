import { expect } from "vitest";
import type { Transaction } from "../../src/hub/store.js";
import { openSqliteStore } from "../../src/store/sqlite/open.js";
import {
  bind,
  compareAnswer,
  comparePage,
  compareRefusal,
  compareStored,
} from "./core-comparison.js";
import type { Expected } from "./core-expected.js";
import {
  ADMINS,
  chatAt,
  chatsWhere,
  emptyModel,
  isMember,
  linesOf,
  type Model,
  type Named,
  openChat,
  type Rules,
  type Said,
  serviceFor,
} from "./core-model.js";
import { ack, expire, readable, register, say, unregister } from "./core-rules.js";
import { AGENTS, type By, type Pick, type Step, type Turn } from "./core-steps.js";
import {
  ackAtCore,
  type Core,
  channelsAtCore,
  coreOn,
  expireAtCore,
  idOf,
  readFromCore,
  registerAtCore,
  sayToCore,
  servicesAtCore,
  unregisterAtCore,
} from "./core-under-test.js";

/** Counts what came about, so that a test can tell whether the runs met everything. */
export type Seen = Map<string, number>;

class TurnFails extends Error {}

interface Run {
  core: Core;
  model: Model;
  /** Every frame said so far, with its channel: what "again" repeats. */
  said: { by: string; said: Said }[];
  seen: Seen;
}

/** Runs the turns on the core and on the model, and compares them after each. */
export async function compareCore(turns: Turn[], rules: Rules, seen: Seen): Promise<void> {
  const store = await openSqliteStore({ path: ":memory:" });
  try {
    const run: Run = {
      model: emptyModel(rules),
      said: [],
      seen,
      core: coreOn(store, () => run.model),
    };
    await store.transaction(async (tx) => {
      for (const agent of rules.known ?? []) await tx.nameAgent(agent);
    });
    for (const turn of turns) await runTurn(run, turn);
    await store.transaction((tx) => compareStored(tx, run.model));
  } finally {
    await store.close();
  }
}

async function runTurn(run: Run, turn: Turn): Promise<void> {
  const before = structuredClone({ model: run.model, said: run.said });
  const work = run.core.store.transaction(async (tx) => {
    for (const step of turn.steps) {
      await runStep(run, tx, step);
      await learnOpenChats(run, tx);
    }
    if (turn.fails) throw new TurnFails();
  });
  try {
    await work;
  } catch (error) {
    if (!(error instanceof TurnFails)) throw error;
    // Nothing of it is stored; the clock went on all the same.
    const { nowMs } = run.model;
    Object.assign(run, before);
    run.model.nowMs = nowMs;
    note(run, "turn fails");
  }
}

/** The channels of services are opened without a word to anyone but their provider. */
async function learnOpenChats({ model }: Run, tx: Transaction): Promise<void> {
  for (const id of Object.keys(model.services)) {
    const service = await tx.service(id);
    bind(model.chats[openChat(model, id)], service?.openChannelId ?? "none");
  }
}

function note({ seen }: Run, what: string): void {
  seen.set(what, (seen.get(what) ?? 0) + 1);
}

function noteExpected(run: Run, expected: Expected): void {
  if ("refused" in expected) note(run, expected.refused.join(" or "));
  else if ("line" in expected) {
    if (expected.line.code === "POLICY") note(run, "ended by an admin");
    note(run, `${expected.duplicate ? "duplicate" : "stored"} ${expected.line.said.kind}`);
  }
}

function resolve(model: Model, pick: Pick): Named {
  if (typeof pick !== "number") return pick;
  const there = chatsWhere(model, () => true);
  return there.length === 0 ? "nowhere" : (there[pick % there.length] ?? "nowhere");
}

/** The agent meant; where a channel has no such member yet, the first one. */
function whoIs(model: Model, by: By, chat: Named): string {
  if (by !== "provider" && by !== "consumer") return by;
  return (typeof chat === "number" && chatAt(model, chat)[by]) || AGENTS[0];
}

async function runStep(run: Run, tx: Transaction, step: Step): Promise<void> {
  const { model, core } = run;
  switch (step.do) {
    case "say": {
      const { said } = step;
      const resolved = "chat" in said ? { ...said, chat: resolve(model, said.chat) } : said;
      const by = whoIs(model, step.by, "chat" in resolved ? resolved.chat : undefined);
      run.said.push({ by, said: resolved });
      return hear(run, tx, by, resolved);
    }
    case "again": {
      const earlier = run.said[step.nth % run.said.length];
      if (earlier === undefined) return;
      return hear(run, tx, earlier.by, changed(model, earlier.said, step));
    }
    case "register": {
      const { service, auto, most, allowed } = step;
      const by = whoIs(model, step.by, undefined);
      const record = { provider: by, auto, most, allowed };
      const expected = register(model, by, service, record);
      noteExpected(run, expected);
      return compareRefusal(await registerAtCore(core, tx, by, service, record), expected);
    }
    case "unregister": {
      const by =
        step.by === "owner" ? (model.services[step.service]?.provider ?? AGENTS[0]) : step.by;
      const expected = unregister(model, by, step.service);
      noteExpected(run, expected);
      return compareRefusal(await unregisterAtCore(core, tx, by, step.service), expected);
    }
    case "ack":
      return runAck(run, tx, step);
    case "expire": {
      const chat = resolve(model, step.chat);
      if (typeof chat !== "number") return;
      note(run, chatAt(model, chat).state === "requested" ? "expired" : "not expired");
      await expireAtCore(core, tx, idOf(model, chat));
      return expire(model, chat);
    }
    case "clock":
      model.nowMs = Math.max(0, model.nowMs + step.ms);
      return;
    case "history":
      return runHistory(run, tx, step);
    case "channels":
      return runChannels(run, tx, step);
    case "services": {
      const by = whoIs(model, step.by, undefined);
      const found = await servicesAtCore(core, tx, by);
      const visible = Object.keys(model.services).filter((id) => serviceFor(model, by, id));
      if (visible.length < Object.keys(model.services).length) note(run, "hidden service");
      return expect(found).toEqual(visible.sort());
    }
    default:
      return step satisfies never;
  }
}

/** A repeat: the same, or something else in one field that it has. */
function changed(
  model: Model,
  said: Said,
  { trace, change }: Extract<Step, { do: "again" }>,
): Said {
  const repeat = said.kind === "message" ? { ...said, trace } : said;
  switch (change) {
    case "nothing":
      return repeat;
    case "words":
      return { ...repeat, words: "z" };
    case "chat":
      return repeat.kind === "message" && repeat.target + repeat.service !== ""
        ? { ...repeat, chat: repeat.chat === undefined ? resolve(model, 0) : undefined }
        : repeat;
    default:
      return change in repeat ? { ...repeat, [change]: "a" } : repeat;
  }
}

async function hear(run: Run, tx: Transaction, by: string, said: Said): Promise<void> {
  // The core first: the names on the wire are those of before.
  const answer = await sayToCore(run.core, tx, run.model, by, said);
  const expected = say(run.model, by, said);
  noteExpected(run, expected);
  compareAnswer(run.model, answer, expected);
}

async function runAck(
  run: Run,
  tx: Transaction,
  step: Extract<Step, { do: "ack" }>,
): Promise<void> {
  const { model, core } = run;
  const acks = step.acks.map(({ chat: pick, back }) => {
    const chat = resolve(model, pick);
    const last = typeof chat === "number" ? linesOf(model, chat).length : 0;
    return { chat, seq: Math.max(0, last - back) };
  });
  const by = whoIs(model, step.by, acks[0]?.chat);
  const positions = acks.map(({ chat, seq }) => ({ channelId: idOf(model, chat), seq }));
  const refusal = await ackAtCore(core, tx, by, positions);
  const expected = ack(model, by, acks);
  noteExpected(run, expected);
  compareRefusal(refusal, expected);
}

async function runHistory(
  run: Run,
  tx: Transaction,
  step: Extract<Step, { do: "history" }>,
): Promise<void> {
  const { model, core } = run;
  const { before, after, limit, service } = step;
  const named = resolve(model, step.chat);
  const by = whoIs(model, step.by, named);
  const answer = await readFromCore(core, tx, by, {
    ...(named === undefined ? { serviceId: service } : { channelId: idOf(model, named) }),
    ...{ beforeSeq: BigInt(before), afterSeq: BigInt(after), limit },
  });
  const provider = serviceFor(model, by, service)?.provider;
  const newest = chatsWhere(
    model,
    (chat) =>
      isMember(chat, by) &&
      chat.service === service &&
      chat.state !== "open" &&
      (provider === undefined || chat.provider === provider),
  ).at(-1);
  const chat = named === undefined ? newest : readable(model, by, named);
  if (chat === undefined) {
    const refusal = answer.kind === "refusal" ? answer.refusal : undefined;
    return compareRefusal(refusal, { refused: ["CHANNEL_NOT_FOUND"] });
  }
  note(run, "page");
  if (!isMember(chatAt(model, chat), by)) {
    model.deeds.push({ event: "admin_read", actor: by, whose: "", chat });
    note(run, "page for an admin");
  }
  if (answer.kind !== "page") throw new Error(`no page: ${JSON.stringify(answer)}`);
  comparePage(model, answer.page, { chat, before, after, limit });
}

async function runChannels(
  run: Run,
  tx: Transaction,
  step: Extract<Step, { do: "channels" }>,
): Promise<void> {
  const { model, core } = run;
  const by = whoIs(model, step.by, undefined);
  const { whose, size: pageSize } = step;
  const listed = await channelsAtCore(core, tx, by, { memberId: whose, pageSize });
  if (whose !== "" && !ADMINS.includes(by)) {
    note(run, "NOT_ADMIN");
    return compareRefusal("refusal" in listed ? listed.refusal : undefined, {
      refused: ["NOT_ADMIN"],
    });
  }
  if ("refusal" in listed) throw new Error(listed.refusal.message);
  const meant = chatsWhere(model, (chat) => whose === "*" || isMember(chat, whose || by));
  expect(listed.names).toEqual(meant.map((chat) => idOf(model, chat)).reverse());
  if (whose === "") return;
  // Each page is a call of its own.
  const deed = { event: "admin_list", actor: by, whose, chat: undefined } as const;
  for (let page = 0; page < listed.pages; page += 1) model.deeds.push(deed);
  note(run, "channels for an admin");
}
