import { makeClientConstructor, type ServiceError } from "@grpc/grpc-js";
import type { Command } from "commander";
import { credentialsFor, parseHubUrl } from "../client/url.js";
import { newCommand, settingsAction } from "./command.js";
import { CommandError, EXIT } from "./exit.js";
import { print, printJson } from "./output.js";
import { addPrintFlag, printInsteadOf } from "./print-flag.js";
import { printable } from "./printable.js";
import type { Environment, Settings } from "./settings.js";
import { readCertificate } from "./with-client.js";

const HEALTH_SETTINGS = ["hub", "caCert", "timeout", "json"] as const;
type HealthSettings = Settings<(typeof HEALTH_SETTINGS)[number]>;

const HEALTH_CHECK = "grpc.health.v1.Health/Check";
const UNAVAILABLE = 14;
const DEADLINE_EXCEEDED = 4;

/** `claw-chat health`: asks whether the hub serves. */
export function healthCommand(env: Environment): Command {
  const command = addPrintFlag(
    newCommand({
      name: "health",
      summary: "Ask whether the hub serves (grpc.health.v1).",
      settings: HEALTH_SETTINGS,
      examples: ["health", "health --hub grpcs://chat.example.org:443 --timeout 2 --json"],
      notes: `Exit codes: ${EXIT.ok} it serves, ${EXIT.failed} it does not, ${EXIT.unreachable} it cannot be reached.`,
    }),
  );
  return settingsAction(command, env, HEALTH_SETTINGS, async ({ settings }) => {
    const printInstead = printInsteadOf(command, settings, env);
    if (printInstead) return printInstead({ method: HEALTH_CHECK });
    const status = await check(settings);
    if (settings.json) await printJson({ hub: settings.hub, status });
    else await print(`${printable(settings.hub)} is ${printable(status)}`);
    return status === "SERVING" ? EXIT.ok : EXIT.failed;
  });
}

/** The hub's own word about itself: SERVING, NOT_SERVING or UNKNOWN. */
async function check(settings: HealthSettings): Promise<string> {
  // Loaded here: it takes a fifth of the time that every other command needs to start.
  const { service } = await import("grpc-health-check");
  const HealthClient = makeClientConstructor(service, "Health");
  const certificates =
    settings.caCert === undefined ? {} : { rootCerts: readCertificate(settings.caCert) };
  const address = parseHubUrl(settings.hub);
  const client = new HealthClient(address.target, credentialsFor(address, certificates), {
    // As in every other command: a proxy does not reach this machine's own hub.
    ...(address.loopback ? { "grpc.enable_http_proxy": 0 } : {}),
  });
  const method = service.Check;
  return new Promise<string>((resolve, reject) => {
    if (method === undefined) throw new Error("grpc-health-check defines no Check");
    client.makeUnaryRequest(
      method.path,
      method.requestSerialize,
      method.responseDeserialize,
      { service: "" },
      { deadline: Date.now() + settings.timeout * 1000 },
      (error: ServiceError | null, response?: unknown) => {
        if (error !== null) reject(notHealthy(error, settings.hub));
        else resolve(statusOf(response));
      },
    );
  }).finally(() => client.close());
}

function statusOf(response: unknown): string {
  if (typeof response === "object" && response !== null && "status" in response) {
    return String(response.status);
  }
  return "UNKNOWN";
}

function notHealthy(error: ServiceError, hub: string): CommandError {
  const unreachable = error.code === UNAVAILABLE || error.code === DEADLINE_EXCEEDED;
  return new CommandError(
    unreachable
      ? `no hub answers at ${printable(hub)}: is it running there?`
      : `${printable(hub)} does not tell its health: ${printable(error.details)}`,
    unreachable ? EXIT.unreachable : EXIT.failed,
    { cause: error },
  );
}
