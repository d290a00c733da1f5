import { parseHubUrl } from "../client/url.js";
import { EXIT } from "./exit.js";
import { jsonForm } from "./json-form.js";
import { print } from "./output.js";
import type { OutsideCall } from "./outside-call.js";
import { jsonLine } from "./printable.js";
import { type AgentSettings, DEFAULT_TIMEOUT_S, type Environment, variableOf } from "./settings.js";

/** What of the settings says how a hub is reached, and as whom. */
export type Reach = Pick<AgentSettings, "hub" | "timeout"> & Partial<AgentSettings>;

const KEY_VARIABLE = variableOf("apiKey");

/**
 * Prints the grpcurl line that makes a call, to stdout; to stderr what it needs first, or does not do.
 * @param remarks sentences about what it does not do
 * @returns the exit code
 */
export async function printGrpcurl(
  reach: Reach,
  env: Environment,
  call: OutsideCall,
  remarks: string[],
): Promise<number> {
  if (reach.apiKey !== undefined && env[KEY_VARIABLE] !== reach.apiKey) {
    process.stderr.write(`The key is not in the line: export it as ${KEY_VARIABLE} first.\n`);
  }
  for (const remark of remarks) process.stderr.write(`${remark}\n`);
  await print(grpcurlLine(reach, call));
  return EXIT.ok;
}

/**
 * The line, for any POSIX shell. An API key is not in it: grpcurl reads the variable itself, so that
 * the key shows neither on the terminal nor in the list of processes.
 */
function grpcurlLine(reach: Reach, { method, request, receive }: OutsideCall): string {
  const { agent, apiKey, caCert, clientCert, clientKey, timeout } = reach;
  const { target, secure } = parseHubUrl(reach.hub);
  const words = secure ? ["grpcurl"] : ["grpcurl", "-plaintext"];
  if (secure && caCert !== undefined) words.push("-cacert", caCert);
  if (secure && clientCert !== undefined) words.push("-cert", clientCert);
  if (secure && clientKey !== undefined) words.push("-key", clientKey);
  if (timeout !== DEFAULT_TIMEOUT_S && receive === undefined) {
    words.push("-max-time", String(timeout));
  }
  if (apiKey !== undefined) {
    words.push("-expand-headers", "-H", `authorization: Bearer \${${KEY_VARIABLE}}`);
  }
  if (agent !== undefined) words.push("-H", `claw-agent-id: ${agent}`);
  if (receive !== undefined) words.push("-H", `claw-receive: ${receive}`, "-d", "@");
  if (request !== undefined) words.push("-d", jsonLine(jsonForm(request.type, request.bytes)));
  return [...words, target, method].map(quoted).join(" ");
}

/** A word as a shell reads it back. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
