import { readFileSync } from "node:fs";
import { ChatClient } from "../client/chat-client.js";
import type { ChatClientOptions } from "../client/options.js";
import { ID_RULE, isValidId } from "../protocol/ids.js";
import { UsageError } from "./exit.js";
import type { AgentSettings } from "./settings.js";

/**
 * Runs work with a connected client and disconnects it, whatever becomes of the work.
 * @param options.receive "none" where left out: the agent's running session does not notice
 * @param options.beforeConnect attaches listeners: entries wait for none once the session is there
 * @throws UsageError where the agent is missing or misnamed, or the certificate cannot be read
 */
export async function withClient<T>(
  settings: AgentSettings,
  work: (client: ChatClient) => Promise<T>,
  options: Partial<ChatClientOptions> & {
    signal?: AbortSignal;
    beforeConnect?: (client: ChatClient) => void;
  } = {},
): Promise<T> {
  const { signal, beforeConnect, ...clientOptions } = options;
  const client = new ChatClient({
    hubUrl: settings.hub,
    agentId: agentIdOf(settings),
    receive: "none",
    timeoutMs: settings.timeout * 1000,
    ...(settings.apiKey === undefined ? {} : { apiKey: settings.apiKey }),
    ...(settings.caCert === undefined ? {} : { rootCerts: readCertificate(settings.caCert) }),
    ...clientOptions,
  });
  try {
    beforeConnect?.(client);
    await client.connect(signal ? { signal } : {});
    return await work(client);
  } finally {
    await client.disconnect();
  }
}

/** Reads a PEM file. */
export function readCertificate(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new UsageError(`the certificate file ${path} cannot be read: name a PEM file.`, {
      cause,
    });
  }
}

function agentIdOf(settings: AgentSettings): string {
  const { agent } = settings;
  if (agent === undefined) {
    throw new UsageError("who is speaking? Give --agent ID, or set CLAW_AGENT.");
  }
  if (!isValidId(agent)) throw new UsageError(`--agent must be ${ID_RULE}.`);
  return agent;
}
