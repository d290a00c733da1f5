import type {
  ChatHubClient,
  ListChannelsResponse,
  ListServicesResponse,
  RegisterServiceResponse,
} from "../protocol/wire.js";
import { unexpectedAnswer } from "./errors.js";
import { channelInfoOf, serviceInfoOf } from "./from-wire.js";
import { listChannelsRequest, listServicesRequest, serviceOf } from "./to-wire.js";
import { type UnaryBounds, unary } from "./unary.js";
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
export interface UnaryCaller extends UnaryBounds {
  stub(): ChatHubClient;
}

export async function registerService(
  caller: UnaryCaller,
  offer: ServiceOffer,
): Promise<ServiceInfo> {
  const request = { service: serviceOf(offer) };
  const { service } = await unary<RegisterServiceResponse>(
    (metadata, callback) => caller.stub().registerService(request, metadata, callback),
    caller,
  );
  if (service === undefined) throw unexpectedAnswer(caller.bounds.what);
  return serviceInfoOf(service);
}

export async function unregisterService(caller: UnaryCaller, serviceId: string): Promise<void> {
  await unary<object>(
    (metadata, callback) => caller.stub().unregisterService({ serviceId }, metadata, callback),
    caller,
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
    const request = listServicesRequest(filter, { pageSize: PAGE_SIZE, pageToken });
    const page = await unary<ListServicesResponse>(
      (metadata, callback) => caller.stub().listServices(request, metadata, callback),
      caller,
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
    const request = listChannelsRequest(filter, { pageSize: PAGE_SIZE, pageToken });
    const page = await unary<ListChannelsResponse>(
      (metadata, callback) => caller.stub().listChannels(request, metadata, callback),
      caller,
    );
    yield* page.channels.map(channelInfoOf);
    pageToken = page.nextPageToken;
  } while (pageToken !== "");
}
