import { createOutstanding } from "../../src/client/outstanding.js";
import { type RefusalReason, refusalKind } from "../../src/protocol/refusals.js";
import { durationOf } from "../../src/protocol/time.js";
import { ChatMessage, type ConnectRequest, Receipt } from "../../src/protocol/wire.js";
import type { SenderStep, Trouble } from "./sender-steps.js";

/** An answer of the hub, on its way. */
type Told = { requestId: string; receipt: Receipt } | { requestId: string; reason: RefusalReason };

interface Call {
  chat: 0 | 1;
  end: string | undefined;
  giveUp(): void;
}

const CHANNELS = ["c0", "c1"];

/**
 * The client's sending side against a hub of a few lines: a log for each chat, in which a message
 * is once (M2). Whatever is refused, cut and given up in between, each log has the messages in the
 * order of the calls, and a call that was refused is in none.
 * @param advance lets the time pass that timers wait for
 * @param seen counts what happened
 * @throws where it is not so
 */
export async function trySender(
  steps: SenderStep[],
  advance: (ms: number) => Promise<unknown>,
  seen: Map<string, number>,
): Promise<void> {
  const logs: string[][] = [[], []];
  let toHub: ConnectRequest[] = [];
  let toClient: Told[] = [];
  const calls: Call[] = [];
  const outstanding = createOutstanding({
    writable: true,
    send: (request) => toHub.push(request),
  });

  function note(what: string): void {
    seen.set(what, (seen.get(what) ?? 0) + 1);
  }

  function say(chat: 0 | 1, byAgent: boolean): void {
    const aborting = new AbortController();
    const messageId = String(calls.length);
    const address = byAgent ? { targetAgent: `a${chat}` } : { channelId: `c${chat}` };
    const call: Call = { chat, end: undefined, giveUp: () => aborting.abort() };
    calls.push(call);
    const value = ChatMessage.fromPartial({ ...address, messageId, content: "…" });
    const bounds = { timeoutMs: 1e9, signal: aborting.signal, what: messageId };
    outstanding.call({ $case: "chatMessage", value }, bounds).then(
      () => {
        call.end = "stored";
      },
      ({ reason }: { reason: string }) => {
        call.end = reason;
        note(reason);
      },
    );
  }

  function answerTo({ requestId, frame }: ConnectRequest, trouble: Trouble | undefined): Told {
    if (frame?.$case !== "chatMessage") throw new Error("only messages are sent here");
    if (trouble === "gone") return { requestId, reason: "STORAGE_UNAVAILABLE" };
    const { messageId, channelId, targetAgent } = frame.value;
    const chat = chatOf(frame.value);
    const first = logs.findIndex((log) => log.includes(messageId));
    if (first >= 0 && first !== chat) return { requestId, reason: "MESSAGE_ID_REUSED" };
    const log = logs[chat];
    if (log === undefined) return { requestId, reason: "CHANNEL_NOT_FOUND" };
    if (first < 0) {
      if (trouble === "not accepted") return { requestId, reason: "CHAT_NOT_ACCEPTED" };
      if (trouble === "full") return { requestId, reason: "STORAGE_FULL" };
      log.push(messageId);
    }
    note(first < 0 ? "stored" : "repeated");
    const named = channelId || `c${targetAgent.slice(1)}`;
    return { requestId, receipt: Receipt.fromPartial({ requestId, channelId: named }) };
  }

  function hear(told: Told): void {
    const { requestId } = told;
    if ("receipt" in told) {
      outstanding.answered(requestId, { kind: "receipt", receipt: told.receipt });
      return;
    }
    const { reason } = told;
    const { code, retryable, retryAfterMs } = refusalKind(reason);
    const retryAfter = retryAfterMs === undefined ? undefined : durationOf(retryAfterMs);
    outstanding.refused(requestId, { code, reason, message: "", retryable, retryAfter });
  }

  function hubTakes(count: number, trouble?: Trouble): void {
    for (const request of toHub.splice(0, count)) toClient.push(answerTo(request, trouble));
  }

  function cut(): void {
    toHub = [];
    toClient = [];
    outstanding.resend();
  }

  async function take(step: SenderStep): Promise<void> {
    note(step.do);
    if (step.do === "say") say(step.chat, step.byAgent);
    else if (step.do === "hub") hubTakes(step.count, step.trouble);
    else if (step.do === "hear") toClient.splice(0, step.count).forEach(hear);
    else if (step.do === "cut") cut();
    else if (step.do === "give up") calls[step.which]?.giveUp();
    else await advance(10_000);
    // What was settled is told.
    await advance(0);
  }

  for (const step of steps) await take(step);
  for (let round = 0; calls.some(({ end }) => end === undefined); round += 1) {
    if (round > calls.length + 3) throw new Error(`nothing moves any more: ${endsOf(calls)}`);
    hubTakes(Infinity);
    toClient.splice(0).forEach(hear);
    await advance(10_000);
  }
  judge(logs, calls);
}

function judge(logs: string[][], calls: Call[]): void {
  const said = `logs ${JSON.stringify(logs)}, calls ${endsOf(calls)}`;
  for (const log of logs) {
    const order = log.map(Number);
    if (order.some((id, index) => index > 0 && id < (order[index - 1] ?? 0))) {
      throw new Error(`out of order: ${said}`);
    }
  }
  for (const [id, { chat, end }] of calls.entries()) {
    const isStored = logs[chat]?.includes(String(id)) ?? false;
    if (end === "ABORTED_BY_CALLER") continue;
    if (isStored !== (end === "stored")) throw new Error(`message ${id} is not as told: ${said}`);
  }
}

function chatOf({ channelId, targetAgent }: ChatMessage): number {
  return targetAgent === "" ? CHANNELS.indexOf(channelId) : Number(targetAgent.slice(1));
}

function endsOf(calls: Call[]): string {
  return calls.map(({ chat, end }, id) => `${id} in c${chat}: ${end}`).join("; ");
}
