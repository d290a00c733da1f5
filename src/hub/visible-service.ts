import { matchesAny } from "../protocol/pattern.js";
import type { ServiceRecord } from "./store.js";

/** Whether an agent finds a service, and may ask for a chat about it (S3). */
export function isVisible(service: ServiceRecord, agentId: string): boolean {
  const { providerId, allowedConsumers } = service;
  return (
    providerId === agentId || allowedConsumers.length === 0 || matchesAny(allowedConsumers, agentId)
  );
}

/** The service as the agent knows it: nothing, where it is not for the agent. */
export function visible(
  service: ServiceRecord | undefined,
  agentId: string,
): ServiceRecord | undefined {
  return service !== undefined && isVisible(service, agentId) ? service : undefined;
}
