import { MAX_RESPONSE_BYTES, pageSize } from "../protocol/limits.js";
import { type Refusal, refuse } from "../protocol/refusals.js";
import {
  type ListChannelsRequest,
  type ListChannelsResponse,
  type ListServicesRequest,
  type ListServicesResponse,
  Service,
} from "../protocol/wire.js";
import { noteAdmin } from "./audit.js";
import { roleOf } from "./channel.js";
import type { Context } from "./context.js";
import type { Caller } from "./credentials.js";
import { decodePageToken, encodePageToken, sealPageToken } from "./page-token.js";
import type { ServiceRecord, Transaction } from "./store.js";
import { channelView, serviceView } from "./views.js";
import { isVisible } from "./visible-service.js";

/** How many services are searched for one page, so that no search holds the others up. */
const MAX_SCANNED = 1_000;
/** How many that are not for the caller may be passed over besides, for the same reason. */
const MAX_HIDDEN = 2_000;
/** No agent can have this id: as member_id it stands for all. */
const EVERYBODY = "*";
/** Room for what surrounds a service in a page, the page token included. */
const FRAMING_BYTES = 256;

const badToken = (): Refusal =>
  refuse(
    "BAD_VALUE",
    "page_token is not the next_page_token of a page like this, or what stood there is gone; " +
      "begin again without it",
  );

/** Finds services that are for the agent, ordered by id (S3). */
export async function listServices(
  { tx, env }: Context,
  { agentId }: Caller,
  asked: ListServicesRequest,
): Promise<ListServicesResponse | { refusal: Refusal }> {
  const token = decodePageToken(asked.pageToken);
  if (token === undefined) return { refusal: badToken() };
  const limit = pageSize(asked.pageSize);
  const words = wordsOf(asked.query);
  const services: Service[] = [];
  let bytes = 0;
  let [looked, hidden] = [0, 0];
  // Where the page ends, as far as it was looked for.
  let last = token;
  for await (const service of servicesAfter(tx, token)) {
    if (!isVisible(service, agentId)) {
      hidden += 1;
      if (hidden < MAX_HIDDEN) continue;
      return { services, nextPageToken: sealPageToken(service.serviceId) };
    }
    if (looked === MAX_SCANNED) return { services, nextPageToken: encodePageToken(last) };
    looked += 1;
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
  return { services, nextPageToken: "" };
}

/** All that follow an id, in order. */
async function* servicesAfter(tx: Transaction, mark: string): AsyncGenerator<ServiceRecord> {
  let after: string | undefined = mark;
  while (after !== undefined) {
    const batch: ServiceRecord[] = await tx.services({ after, limit: MAX_SCANNED });
    yield* batch;
    after = batch.length < MAX_SCANNED ? undefined : batch.at(-1)?.serviceId;
  }
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

/** Lists an agent's own channels, newest first; to admins those of others as well (C7). */
export async function listChannels(
  context: Context,
  caller: Caller,
  asked: ListChannelsRequest,
): Promise<ListChannelsResponse | { refusal: Refusal }> {
  const { tx, env } = context;
  const { memberId } = asked;
  if (memberId !== "" && caller.role !== "admin") {
    const detail = `NOT_ADMIN list ${memberId}`;
    context.denied.push({ actor: caller.agentId, agentId: memberId, channelId: "", detail });
    return { refusal: refuse("NOT_ADMIN", "member_id is for admins; leave it empty") };
  }
  const whose = memberId === "" ? caller.agentId : memberId;
  const mark = decodePageToken(asked.pageToken);
  if (mark === undefined || !(await isMark(tx, whose, mark))) return { refusal: badToken() };
  if (memberId !== "") await noteAdmin(context, caller, "admin_list", { agentId: memberId });
  const filter = {
    state: asked.state || undefined,
    serviceId: asked.serviceId || undefined,
    peerId: asked.peerId || undefined,
  };
  const range = { before: mark || undefined, limit: pageSize(asked.pageSize) };
  const page = await (whose === EVERYBODY
    ? tx.listAllChannels(filter, range)
    : tx.listChannels(whose, filter, range));
  return {
    channels: page.channels.map((channel) => channelView(channel, caller, env.isOnline)),
    nextPageToken: page.next === undefined ? "" : encodePageToken(page.next),
  };
}

/** A page ends at a channel that is listed, and the first page has no mark. */
async function isMark(tx: Transaction, whose: string, mark: string): Promise<boolean> {
  if (mark === "") return true;
  const channel = await tx.channel(mark);
  return channel !== undefined && (whose === EVERYBODY || roleOf(channel, whose) !== undefined);
}
