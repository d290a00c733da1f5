import type { ChatClient, IncomingEntry, IncomingRequest } from "claw-chat-hub";
import type { BareSession } from "./bare-session.ts";
import { type Filled, SAID, type Stage, WAITING } from "./fill.ts";

/**
 * A conversation that goes on where `fill` has stopped. Its requests name no channel that was
 * made meanwhile: so they can be sent to another hub on a copy of the file, byte for byte. One
 * thing is done after the other, so that everything has one order.
 */
export async function converse(stage: Stage, filled: Filled): Promise<void> {
  await takeEverything(await stage.client("farmer", "manual"), WAITING.farmer);
  await answerWhatWaited(await stage.client("station", "manual"), filled);
  await talkOn(stage, filled);
  await askForGauge(stage, filled);
  await sayAgain(stage, filled);
  await beRefused(await stage.bare("sailor"), filled);
  await useTheCalls(await stage.client("station"), await stage.client("farmer"));
  await beSuperseded(stage);
}

/** The last scene: somebody is there when the hub is stopped. */
export async function beThereAtTheEnd({ bare }: Stage): Promise<BareSession> {
  const sailor = await bare("sailor", "auto");
  for (let left = WAITING_FOR_SAILOR; left > 0; left -= 1) {
    await sailor.next(({ receipts, requestId }) => receipts === undefined && !requestId);
  }
  await sailor.ask({ heartbeat: true });
  return sailor;
}

/** Of the chats about "forecast", "almanac" and "tides" one each; of "gauge" two. */
const WAITING_FOR_SAILOR = 5;

/** Handles so many entries, and acks them by leaving. */
async function takeEverything(
  client: ChatClient,
  count: number,
  handle: (entry: IncomingEntry) => unknown = () => {},
): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let left = count;
  async function take(entry: IncomingEntry): Promise<void> {
    await handle(entry);
    left -= 1;
    if (left === 0) resolve();
  }
  client.listen({ request: take, accept: take, reject: take, message: take, end: take });
  await promise;
  await client.disconnect();
}

async function answerWhatWaited(station: ChatClient, { pending }: Filled): Promise<void> {
  const answer = (request: IncomingRequest) =>
    request.channelId === pending
      ? request.accept({ content: "In August.", metadata: { page: "112" } })
      : request.reject({ reason: "No moon today", code: "unsupported", retryAfterMs: 1_500 });
  await takeEverything(station, WAITING.station, (entry) =>
    entry.kind === "request" && entry.serviceId === "almanac" ? answer(entry) : undefined,
  );
}

/** Live deliveries, replies, pages of the history, and an end. */
async function talkOn({ client, bare }: Stage, { talk }: Filled): Promise<void> {
  const station = await bare("station", "manual");
  const traveller = await client("traveller");
  const sent = await traveller.sendMessage({
    serviceId: "forecast",
    content: "And tomorrow?",
    messageId: "later-message-1",
  });
  await station.next((response) => response.chatMessage !== undefined);
  await station.ack(talk, sent.seq);
  const reply = { channelId: talk, content: "Sun.", replyTo: "later-message-1" };
  await station.ask({ chatMessage: { ...reply, messageId: "later-message-2" } });
  await traveller.getHistory({ channelId: talk, limit: 2 });
  await traveller.getHistory({ channelId: talk, limit: 2, beforeSeq: sent.seq });
  await traveller.getHistory({ serviceId: "forecast", afterSeq: 3 });
  await takeEverything(await client("traveller", "manual"), WAITING.traveller + 1);
  await traveller.endChat({ channelId: talk, reason: "Thanks", code: "completed" });
  await station.next((response) => response.chatEnd !== undefined);
  await station.ask({ chatEnd: { channelId: talk } });
  await station.leave();
  for await (const _channel of traveller.listChannels({ peerId: "station" }));
}

/** A whole chat in the channel that was open, each of its frames named in another way. */
async function askForGauge({ client, bare }: Stage, { open }: Filled): Promise<void> {
  const sailor = await bare("sailor");
  const station = await client("station");
  await sailor.ask({
    chatRequest: { serviceId: "gauge", providerId: "station", content: "Level?", timeout: "3600s" },
  });
  await station.acceptChat({ consumerId: "sailor", serviceId: "gauge", content: "Yes." });
  await sailor.ask({
    acks: [{ channelId: open, seq: 2 }],
    chatMessage: { targetAgent: "station", serviceId: "gauge", data: "AAEC", contentType: "a/b" },
  });
  await station.sendMessage({ channelId: open, content: "2.4 m", metadata: { unit: "m" } });
  await station.endChat({ channelId: open, code: "failed", reason: "The gauge is dry" });
  await sailor.ask({ chatHistory: { serviceId: "gauge" } });
  await sailor.ask({ chatMessage: { targetAgent: "archive", content: "A chat of its own." } });
  await sailor.leave();
}

/** Everything that has been said already gets its first receipt. */
async function sayAgain({ client }: Stage, filled: Filled): Promise<void> {
  const traveller = await client("traveller");
  const sailor = await client("sailor");
  const station = await client("station");
  const again = [
    await traveller.sendRequest(SAID.request),
    await traveller.sendMessage({ channelId: filled.talk, ...SAID.message }),
    await sailor.endChat({ channelId: filled.ended }),
    await station.acceptChat({ channelId: filled.pending }),
    await station.acceptChat({ channelId: filled.talk }),
  ];
  if (!again.every(({ duplicate }) => duplicate)) throw new Error("a repeat was stored again");
}

async function beRefused(sailor: BareSession, { talk, ended, open }: Filled): Promise<void> {
  const nobody = "ch_00000000-0000-4000-8000-000000000000";
  await sailor.refused("EMPTY_FRAME", {});
  await sailor.refused("MISSING_FIELD", { chatMessage: { channelId: ended } });
  await sailor.refused("CHANNEL_NOT_FOUND", { chatMessage: { channelId: nobody, content: "?" } });
  await sailor.refused("CHANNEL_NOT_FOUND", { chatHistory: { channelId: talk } });
  await sailor.refused("CHANNEL_ENDED", { chatMessage: { channelId: ended, content: "?" } });
  await sailor.refused("SENDER_MISMATCH", { chatEnd: { channelId: ended, endedBy: "farmer" } });
  await sailor.refused("HUB_FIELD_SET", { chatEnd: { channelId: ended, seq: 9 } });
  await sailor.refused("NOT_PROVIDER", { chatAccept: { channelId: ended } });
  await sailor.refused("ADDRESS_CONFLICT", {
    chatMessage: { channelId: ended, serviceId: "tides", content: "?" },
  });
  await sailor.refused("SERVICE_NOT_FOUND", { chatRequest: { serviceId: "letters" } });
  await sailor.refused("BUSY", { chatMessage: { serviceId: "tides", content: "?" } });
  await sailor.refused("IDEMPOTENCY_KEY_REUSED", {
    chatRequest: { serviceId: "almanac", content: "Else", idempotencyKey: "kept-request-2" },
  });
  await sailor.refused("BAD_TIMEOUT", { chatRequest: { serviceId: "gauge", timeout: "-1s" } });
  await sailor.refused("POSITION_AHEAD", {
    acks: [{ channelId: open, seq: 99 }],
    chatHistory: { channelId: open },
  });
  await sailor.leave();
}

/** Plain calls, with filters, pages and refusals. */
async function useTheCalls(station: ChatClient, farmer: ChatClient): Promise<void> {
  await station.registerService({ serviceId: "forecast", description: "Anew", tags: ["weather"] });
  await station.registerService({ serviceId: "radar", acceptPolicy: "auto" });
  await station.unregisterService("radar");
  await mustFail("SERVICE_TAKEN", farmer.registerService({ serviceId: "tides" }));
  await mustFail("NOT_PROVIDER", farmer.unregisterService("tides"));
  await mustFail("SERVICE_NOT_FOUND", farmer.unregisterService("radar"));
  for await (const _service of farmer.listServices());
  for await (const _service of farmer.listServices({ query: "WEATHER", tags: ["weather"] }));
  for await (const _channel of farmer.listChannels({ state: "rejected" }));
  for await (const _channel of station.listChannels({ serviceId: "almanac", peerId: "sailor" }));
}

async function mustFail(reason: string, call: Promise<unknown>): Promise<void> {
  const said = await call.then(
    () => "nothing",
    (error: { reason?: string }) => error.reason,
  );
  if (said !== reason) throw new Error(`${said} came instead of ${reason}`);
}

async function beSuperseded({ bare }: Stage): Promise<void> {
  const older = await bare("traveller", "manual");
  const newer = await bare("traveller", "manual");
  await older.ended;
  await newer.ask({ heartbeat: true });
  await newer.leave();
}
