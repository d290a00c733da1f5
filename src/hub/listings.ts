import { MAX_RESPONSE_BYTES, pageSize } from "../protocol/limits.js";
import { type Refusal, refuse } from "../protocol/refusals.js";
import {
  type ListChannelsRequest,
  type ListChannelsResponse,
  type ListServicesRequest,
  type ListServicesResponse,
  Service,
} from "../protocol/wire.js";
import { roleOf } from "./channel.js";
import type { Context } from "./context.js";
import { decodePageToken, encodePageToken } from "./page-token.js";
import type { ServiceRecord, Transaction } from "./store.js";
import { channelView, serviceView } from "./views.js";

/** How many services are looked at for one page, so that no search holds the others up. */
const MAX_SCANNED = 1_000;
/** Room for what surrounds a service in a page, the page token included. */
const FRAMING_BYTES = 256;

const badToken = (): Refusal =>
  refuse(
    "BAD_VALUE",
    "page_token is not the next_page_token of a page like this, or what stood there is gone; " +
      "begin again without it",
  );

/** Finds services, ordered by id. */
export async function listServices(
  { tx, env }: Context,
  agentId: string,
  asked: ListServicesRequest,
): Promise<ListServicesResponse | { refusal: Refusal }> {
  const token = decodePageToken(asked.pageToken);
  if (token === undefined) return { refusal: badToken() };
  const limit = pageSize(asked.pageSize);
  const words = wordsOf(asked.query);
  const scanned = await tx.services({ after: token, limit: MAX_SCANNED });
  const services: Service[] = [];
  let bytes = 0;
  // Where the page ends, as far as it was looked for.
  let last = token;
  for (const service of scanned) {
    if (matches(service, asked, words, env.isOnline)) {
      const view = serviceView(service, agentId, env.isOnline);
      bytes += Service.encode(view).finish().length + FRAMING_BYTES;
      if (services.length === limit || bytes > MAX_RESPONSE_BYTES) {
        return { services, nextPageToken: encodePageToken(last) };
      }
      services.push(view);
    }
    last = service.serviceId;
  }
  return { services, nextPageToken: scanned.length < MAX_SCANNED ? "" : encodePageToken(last) };
}

function wordsOf(query: string): string[] {
  return [...new Set(query.toLowerCase().split(/\s+/).filter(Boolean))];
}

function matches(
  service: ServiceRecord,
  asked: ListServicesRequest,
  words: string[],
  isOnline: (agentId: string) => boolean,
): boolean {
  if (asked.providerId !== "" && asked.providerId !== service.providerId) return false;
  if (asked.onlineOnly && !isOnline(service.providerId)) return false;
  if (!asked.tags.every((tag) => service.tags.includes(tag))) return false;
  if (words.length === 0) return true;
  const text = [service.serviceId, service.description, ...service.tags].join("\n").toLowerCase();
  return words.every((word) => text.includes(word));
}

/** Lists an agent's own channels, newest first (C7). */
export async function listChannels(
  { tx, env }: Context,
  agentId: string,
  asked: ListChannelsRequest,
): Promise<ListChannelsResponse | { refusal: Refusal }> {
  const before = decodePageToken(asked.pageToken);
  if (before === undefined || !(await isMark(tx, agentId, before))) return { refusal: badToken() };
  const page = await tx.listChannels(
    agentId,
    {
      state: asked.state || undefined,
      serviceId: asked.serviceId || undefined,
      peerId: asked.peerId || undefined,
    },
    { before: before || undefined, limit: pageSize(asked.pageSize) },
  );
  return {
    channels: page.channels.map((channel) => channelView(channel, agentId, env.isOnline)),
    nextPageToken: page.next === undefined ? "" : encodePageToken(page.next),
  };
}

/** A page ends at one of the caller's own channels, and the first page has no mark. */
async function isMark(tx: Transaction, agentId: string, mark: string): Promise<boolean> {
  if (mark === "") return true;
  const channel = await tx.channel(mark);
  return channel !== undefined && roleOf(channel, agentId) !== undefined;
}
