import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { ChatClient } from "../client/chat-client.js";
import { ChatHubError } from "../client/errors.js";
import type { ChatClientOptions } from "../client/options.js";
import { ID_RULE, isValidId } from "../protocol/ids.js";
import { CommandError, EXIT, UsageError } from "./exit.js";
import { printable } from "./printable.js";
import type { AgentSettings } from "./settings.js";

/**
 * Runs work with a connected client and disconnects it, whatever becomes of the work.
 * @param options.receive "none" where left out: the agent's running session does not notice
 * @param options.beforeConnect attaches listeners: entries wait for none once the session is there
 * @throws UsageError where the agent is missing or misnamed, or the certificate file is none
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
  const client = new ChatClient({ ...clientOptionsOf(settings), ...clientOptions });
  try {
    beforeConnect?.(client);
    await client
      .connect(signal ? { signal } : {})
      .catch((error: unknown) => explainNoHub(error, settings.hub));
    return await work(client);
  } finally {
    await client.disconnect();
  }
}

/**
 * How a client reaches the hub, and as whom.
 * @throws UsageError as withClient does
 */
export function clientOptionsOf(settings: AgentSettings): ChatClientOptions {
  return {
    hubUrl: settings.hub,
    agentId: agentIdOf(settings),
    receive: "none",
    timeoutMs: settings.timeout * 1000,
    ...(settings.apiKey === undefined ? {} : { apiKey: settings.apiKey }),
    ...(settings.caCert === undefined ? {} : { rootCerts: readCertificate(settings.caCert) }),
    ...clientCertificateOf(settings),
  };
}

/** Throws a UsageError where only one of both is set, or a file is not what it should be. */
function clientCertificateOf({
  clientCert,
  clientKey,
}: AgentSettings): Pick<ChatClientOptions, "clientCert" | "clientKey"> {
  if (clientCert === undefined && clientKey === undefined) return {};
  if (clientCert === undefined || clientKey === undefined) {
    throw new UsageError("--client-cert and --client-key belong together: give both.");
  }
  return { clientCert: readCertificate(clientCert), clientKey: readPrivateKey(clientKey) };
}

function readPrivateKey(path: string): Buffer {
  try {
    const bytes = readFileSync(path);
    createPrivateKey(bytes);
    return bytes;
  } catch (cause) {
    throw new UsageError(`${path} is no private key that can be read: name a PEM file.`, { cause });
  }
}

/**
 * Reads a file of PEM certificates.
 * @throws UsageError where it cannot be read, or holds something else
 */
export function readCertificate(path: string): Buffer {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (cause) {
    throw new UsageError(`the certificate file ${path} cannot be read: name a PEM file.`, {
      cause,
    });
  }
  // TLS itself would pass over what it cannot read, and then trust nobody.
  const blocks = bytes.toString("latin1").match(PEM_CERTIFICATE) ?? [];
  if (blocks.length === 0 || !blocks.every(isCertificate)) {
    throw new UsageError(
      `${path} is no file of PEM certificates: name one with -----BEGIN CERTIFICATE----- in it.`,
    );
  }
  return bytes;
}

const PEM_CERTIFICATE = /-----BEGIN ((?:TRUSTED |X509 )?CERTIFICATE)-----.*?-----END \1-----/gs;

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).subject !== undefined;
  } catch {
    return false;
  }
}

/** The commonest mistake gets the plainest sentence, and the details behind it. */
function explainNoHub(error: unknown, hub: string): never {
  if (!(error instanceof ChatHubError) || error.reason !== "TIMEOUT") throw error;
  const sentence = `no hub answers at ${printable(hub)}: is it running there?`;
  throw new CommandError(`${sentence} (${printable(error.message)})`, EXIT.unreachable, {
    cause: error,
  });
}

function agentIdOf(settings: AgentSettings): string {
  const { agent } = settings;
  if (agent === undefined) {
    throw new UsageError("who is speaking? Give --agent ID, or set CLAW_AGENT.");
  }
  if (!isValidId(agent)) throw new UsageError(`--agent must be ${ID_RULE}.`);
  return agent;
}
