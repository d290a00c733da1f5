import { Metadata } from "@grpc/grpc-js";
import { AGENT_ID_KEY, AUTHORIZATION_KEY, RECEIVE_KEY } from "../protocol/call-metadata.js";
import type { Settings } from "./options.js";

/** An API key or a token, or where to get the one that is good at the moment. */
export type ApiKeySource = string | (() => string | Promise<string>);

/** What a key is sent as: printable ASCII without spaces. */
export function isApiKey(text: unknown): boolean {
  return typeof text === "string" && /^[!-~]+$/.test(text);
}

/**
 * Who is speaking, for one call. A promise where the key has to be asked for; it rejects where there
 * is none to be had.
 */
export function callMetadata({ agentId, apiKey }: Settings): Metadata | Promise<Metadata> {
  const metadata = new Metadata();
  metadata.set(AGENT_ID_KEY, agentId);
  if (apiKey === undefined) return metadata;
  if (typeof apiKey === "string") return withKey(metadata, apiKey);
  return (async () => withKey(metadata, await apiKey()))();
}

/** The same, and what the session receives (I4). */
export function sessionMetadata(settings: Settings): Metadata | Promise<Metadata> {
  const withMode = (metadata: Metadata) => {
    metadata.set(RECEIVE_KEY, settings.receive);
    return metadata;
  };
  const metadata = callMetadata(settings);
  return metadata instanceof Promise ? metadata.then(withMode) : withMode(metadata);
}

function withKey(metadata: Metadata, key: string): Metadata {
  // Whatever it was, it may have been a secret: it is not repeated.
  if (!isApiKey(key)) throw new Error("apiKey gave no printable ASCII without spaces");
  metadata.set(AUTHORIZATION_KEY, `Bearer ${key}`);
  return metadata;
}
