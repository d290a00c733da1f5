import type { Metadata } from "@grpc/grpc-js";
import type {
  ChatHubClient,
  ListChannelsResponse,
  ListServicesResponse,
  RegisterServiceResponse,
} from "../protocol/wire.js";
import type { CallBounds } from "./call-bounds.js";
import { unexpectedAnswer } from "./errors.js";
import { channelInfoOf, serviceInfoOf } from "./from-wire.js";
import { stateOf } from "./names.js";
import type { Settings } from "./options.js";
import { callMetadata } from "./stub.js";
import { serviceOf } from "./to-wire.js";
import { unary } from "./unary.js";
import type {
  ChannelFilter,
  ChannelInfo,
  ServiceFilter,
  ServiceInfo,
  ServiceOffer,
} from "./vocabulary.js";

/** The calls beside the session: services and lists of channels. */

const PAGE_SIZE = 100;

/** How to make such a call. The stub is asked for each time, so that a closed one is replaced. */
export interface UnaryCaller {
  stub(): ChatHubClient;
  settings: Settings;
  /** Aborted when the client is disconnected; its reason is the error of the call. */
  gone: AbortSignal;
  /** Of each call; a list makes one for each page. */
  bounds: CallBounds;
}

export async function registerService(
  caller: UnaryCaller,
  offer: ServiceOffer,
): Promise<ServiceInfo> {
  const request = { service: serviceOf(offer) };
  const { service } = await unary<RegisterServiceResponse>(
    (callback) => caller.stub().registerService(request, metadataOf(caller), callback),
    caller.bounds,
    caller.gone,
  );
  if (service === undefined) throw unexpectedAnswer(caller.bounds.what);
  return serviceInfoOf(service);
}

export async function unregisterService(caller: UnaryCaller, serviceId: string): Promise<void> {
  await unary<object>(
    (callback) => caller.stub().unregisterService({ serviceId }, metadataOf(caller), callback),
    caller.bounds,
    caller.gone,
    // The attempt before this one has withdrawn it, and its answer was lost.
    (error) => (error.reason === "SERVICE_NOT_FOUND" ? {} : undefined),
  );
}

export async function* listServices(
  caller: UnaryCaller,
  filter: ServiceFilter,
): AsyncGenerator<ServiceInfo, void, undefined> {
  let pageToken = "";
  do {
    const request = {
      query: filter.query ?? "",
      tags: filter.tags ?? [],
      providerId: filter.providerId ?? "",
      onlineOnly: filter.onlineOnly ?? false,
      pageSize: PAGE_SIZE,
      pageToken,
    };
    const page = await unary<ListServicesResponse>(
      (callback) => caller.stub().listServices(request, metadataOf(caller), callback),
      caller.bounds,
      caller.gone,
    );
    yield* page.services.map(serviceInfoOf);
    pageToken = page.nextPageToken;
  } while (pageToken !== "");
}

export async function* listChannels(
  caller: UnaryCaller,
  filter: ChannelFilter,
): AsyncGenerator<ChannelInfo, void, undefined> {
  let pageToken = "";
  do {
    const request = {
      state: stateOf(filter.state),
      serviceId: filter.serviceId ?? "",
      peerId: filter.peerId ?? "",
      memberId: filter.memberId ?? "",
      pageSize: PAGE_SIZE,
      pageToken,
    };
    const page = await unary<ListChannelsResponse>(
      (callback) => caller.stub().listChannels(request, metadataOf(caller), callback),
      caller.bounds,
      caller.gone,
    );
    yield* page.channels.map(channelInfoOf);
    pageToken = page.nextPageToken;
  } while (pageToken !== "");
}

function metadataOf({ settings }: UnaryCaller): Metadata {
  return callMetadata(settings);
}
