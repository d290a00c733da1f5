import * as field from "./field-rules.js";
import {
  DEFAULT_LIMITS,
  MAX_ALLOWED_CONSUMERS,
  MAX_DESCRIPTION_BYTES,
  MAX_QUERY_BYTES,
  MAX_TAG_BYTES,
  MAX_TAGS,
} from "./limits.js";
import { type Refusal, refuse } from "./refusals.js";
import {
  AcceptPolicy,
  ChannelState,
  type ListChannelsRequest,
  type ListServicesRequest,
  type Service,
} from "./wire.js";

/**
 * What can be said about a service without knowing any other (I3, I5, S1).
 * @param bounds of metadata
 */
export function checkService(
  service: Service | undefined,
  agentId: string,
  bounds: field.MetadataBounds = DEFAULT_LIMITS,
): Refusal | undefined {
  if (service === undefined)
    return refuse("MISSING_FIELD", "service is missing; say what is offered");
  return (
    field.required("service.service_id", service.serviceId, "name the service") ??
    field.id("service.service_id", service.serviceId) ??
    field.ownName("service.provider_id", service.providerId, agentId) ??
    field.unset("service.open_channel_id", service.openChannelId !== "") ??
    field.unset("service.provider_online", service.providerOnline) ??
    field.unset("service.registered_at", service.registeredAt !== undefined) ??
    field.text("service.description", service.description, MAX_DESCRIPTION_BYTES) ??
    checkTags(service.tags) ??
    field.known("service.accept_policy", service.acceptPolicy, AcceptPolicy, "MANUAL or AUTO") ??
    field.metadata("service.metadata", service.metadata, bounds) ??
    checkAllowed(service.allowedConsumers)
  );
}

function checkAllowed(patterns: string[]): Refusal | undefined {
  if (patterns.length > MAX_ALLOWED_CONSUMERS) {
    return refuse("BAD_VALUE", `service.allowed_consumers has more than ${MAX_ALLOWED_CONSUMERS}`);
  }
  for (const pattern of patterns) {
    const refusal = field.pattern("service.allowed_consumers", pattern);
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}

function checkTags(tags: string[]): Refusal | undefined {
  if (tags.length > MAX_TAGS) return refuse("BAD_VALUE", `service.tags has more than ${MAX_TAGS}`);
  for (const tag of tags) {
    const refusal =
      field.required("service.tags", tag, "leave empty tags out") ??
      field.text("service.tags", tag, MAX_TAG_BYTES);
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}

/** What can be said about a listing's filters. */
export function checkListServices(request: ListServicesRequest): Refusal | undefined {
  return (
    field.text("query", request.query, MAX_QUERY_BYTES) ??
    field.id("provider_id", request.providerId) ??
    checkTags(request.tags)
  );
}

/** What can be said about a listing's filters. */
export function checkListChannels(request: ListChannelsRequest): Refusal | undefined {
  return (
    field.known("state", request.state, ChannelState, "one of the proto, or none for any") ??
    field.id("service_id", request.serviceId) ??
    field.id("peer_id", request.peerId) ??
    (request.memberId === "*" ? undefined : field.id("member_id", request.memberId))
  );
}
