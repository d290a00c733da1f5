import type { ChatClient, Receipt } from "claw-chat-hub";
import type { BareSession } from "./bare-session.ts";

/** How the agents of a scene come on. */
export interface Stage {
  /** A connected client of the release; `none` is sent nothing. */
  client(agentId: string, receive?: "manual" | "none"): Promise<ChatClient>;
  /** A session on nothing but the release's contract. */
  bare(agent: string, receive?: "manual" | "auto"): Promise<BareSession>;
}

/** Everybody in the scenes. The farmer is always away, so that everything waits for it. */
export const AGENTS = ["archive", "farmer", "herald", "sailor", "station", "traveller"];

/** The channels a later scene goes on with. */
export interface Filled {
  /** Traveller and station about "forecast", active; the traveller has acked a part. */
  talk: string;
  /** The request in it. */
  askedFirst: Receipt;
  /** Of the sailor for "almanac", pending for 7 days. */
  pending: string;
  /** Sailor and station about "forecast", ended. */
  ended: string;
  /** The open channel of "gauge", which the next request takes. */
  open: string;
}

const HOUR_MS = 3_600_000;
const WEEK_MS = 7 * 24 * HOUR_MS;

/** How many entries wait for those who come to the next scene. */
export const WAITING = { farmer: 8, station: 16, traveller: 3 };

/** Brings a hub into every state that a database can keep. */
export async function fill({ client, bare }: Stage): Promise<Filled> {
  const station = await client("station");
  const farmer = await client("farmer");
  const sailor = await client("sailor");
  const traveller = await client("traveller");

  await station.registerService({
    serviceId: "forecast",
    description: "Says what the weather will be. Fragt auch auf Deutsch: Wetter für morgen?",
    tags: ["weather", "天气"],
    metadata: { region: "north", unit: "°C" },
  });
  await station.registerService({ serviceId: "tides", acceptPolicy: "auto", maxActiveChats: 2 });
  await station.registerService({ serviceId: "almanac", tags: ["slow"] });
  const gauge = await station.registerService({ serviceId: "gauge", description: "Reads a gauge" });

  const talk = await talkAboutForecast(station, traveller);
  const plain = await bare("traveller");
  await plain.ask({ chatMessage: { channelId: talk.channelId, content: "No id of my own." } });
  await plain.leave();
  await readTheBeginning(await client("traveller", "manual"));

  const busy = await farmer.sendRequest({ serviceId: "forecast", content: "Frost?" });
  await station.rejectChat({
    channelId: busy.channelId,
    reason: "Busy until noon",
    code: "busy",
    retryAfterMs: 90_000,
  });

  const over = await sailor.sendRequest({ serviceId: "forecast", content: "Wind?" });
  await station.acceptChat({ channelId: over.channelId });
  await sailor.sendMessage({ channelId: over.channelId, content: "Tomorrow, at sea." });
  await sailor.endChat({ channelId: over.channelId, reason: "Seen it", code: "completed" });

  const pending = await sailor.sendRequest({
    serviceId: "almanac",
    content: "When is the next eclipse?",
    metadata: { traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" },
    answerWithinMs: WEEK_MS,
    idempotencyKey: "kept-request-2",
  });
  await farmer.sendRequest({ serviceId: "almanac", content: "Moon?", answerWithinMs: HOUR_MS });

  // Accepted by the hub together with the message; the third finds no room.
  await traveller.sendMessage({ serviceId: "tides", content: "High water?" });
  await farmer.sendRequest({ serviceId: "tides", content: "Low water?" });
  await sailor.sendRequest({ serviceId: "tides", content: "Springs?" });

  await traveller.sendMessage({ targetAgent: "farmer", content: "Is the road open?" });
  const direct = await bare("sailor");
  const asked = await direct.ask({ chatRequest: { providerId: "farmer", content: "Hay?" } });
  await direct.ask({ chatEnd: { channelId: channelOf(asked), code: "END_CODE_CANCELLED" } });
  await direct.leave();

  const herald = await client("herald", "manual");
  const unheard = await herald.requestChat({ providerId: "farmer", answerWithinMs: 1 });
  if (unheard.status !== "expired") throw new Error(`the request was ${unheard.status}`);
  const archive = await client("archive");
  await archive.registerService({ serviceId: "letters" });
  await farmer.sendRequest({ serviceId: "letters", content: "From 1901" });
  await archive.unregisterService("letters");

  return {
    talk: talk.channelId,
    askedFirst: talk,
    pending: pending.channelId,
    ended: over.channelId,
    open: gauge.openChannelId,
  };
}

/** What the scenes say again later, under the same keys. */
export const SAID = {
  request: {
    serviceId: "forecast",
    content: "How is the weather in the hills?",
    idempotencyKey: "kept-request-1",
    answerWithinMs: HOUR_MS,
  },
  message: { content: "Is it raining? 下雨了吗 🌧", messageId: "kept-message-1" },
};

async function talkAboutForecast(station: ChatClient, traveller: ChatClient): Promise<Receipt> {
  const request = await traveller.sendRequest(SAID.request);
  const { channelId } = request;
  await station.acceptChat({
    channelId,
    content: "With pleasure.",
    metadata: { operator: "night shift" },
  });
  await traveller.sendMessage({ channelId, ...SAID.message });
  await station.sendMessage({
    channelId,
    content: '{"rain":true,"celsius":8}',
    contentType: "application/json",
    replyTo: SAID.message.messageId,
    metadata: { model: "north-3", empty: "" },
  });
  await station.sendMessage({
    channelId,
    data: Uint8Array.from({ length: 256 }, (_, byte) => byte),
    contentType: "application/octet-stream",
  });
  await station.sendMessage({ channelId, content: "And a picture of the sky, as text." });
  return request;
}

/** The traveller handles the first message of the talk, and none of those after it. */
async function readTheBeginning(traveller: ChatClient): Promise<void> {
  for await (const message of traveller.messages()) {
    message.ack();
    break;
  }
  await traveller.disconnect();
}

/** The channel that an answer's one receipt names. */
function channelOf(answer: { receipts?: unknown }): string {
  const [receipt] = (answer.receipts as { channelId: string }[] | undefined) ?? [];
  if (receipt === undefined) throw new Error(`no receipt: ${JSON.stringify(answer)}`);
  return receipt.channelId;
}
