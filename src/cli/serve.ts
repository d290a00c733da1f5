import { resolve } from "node:path";
import { setImmediate } from "node:timers/promises";
import type { Command } from "commander";
import type { Logger } from "pino";
import type { Store } from "../hub/store.js";
import type { Hub } from "../server/hub.js";
import type { HubOptions } from "../server/hub-options.js";
import { newCommand, settingsAction } from "./command.js";
import { CommandError, EXIT } from "./exit.js";
import { openLog } from "./log.js";
import { nodeAdvice } from "./node-version.js";
import { print, printJson } from "./output.js";
import { printable } from "./printable.js";
import { type AuthOptions, authOptions } from "./serve-auth.js";
import { type TlsOptions, tlsOptions } from "./serve-tls.js";
import type { Environment, Settings } from "./settings.js";

const SERVE_SETTINGS = [
  "listen",
  "db",
  "insecure",
  "tlsCert",
  "tlsKey",
  "clientCa",
  "auth",
  "jwks",
  "jwtIssuer",
  "jwtAudience",
  "jwtAlgorithms",
  "directChats",
  "maxMessageBytes",
  "maxFramesPerSecond",
  "maxBytesPerSecond",
  "maxPendingRequests",
  "maxChannels",
  "maxSessions",
  "maxMetadataEntries",
  "maxMetadataBytes",
  "maxConnectionsPerAddress",
  "maxConnections",
  "maxFailedLoginsPerMinute",
  "maxUnackedPerChannel",
  "maxUnacked",
  "heartbeatInterval",
  "json",
  "logLevel",
  "logFormat",
] as const;
type ServeSettings = Settings<(typeof SERVE_SETTINGS)[number]>;

/** `claw-chat serve`: runs a hub until SIGTERM or Ctrl-C. */
export function serveCommand(env: Environment): Command {
  const command = newCommand({
    name: "serve",
    summary: "Run a hub, until SIGTERM or Ctrl-C; a second signal ends it at once.",
    settings: SERVE_SETTINGS,
    examples: [
      "serve",
      "serve --listen 127.0.0.1:9000 --db /var/lib/claw-chat/hub.db --log-format json",
      "serve --listen 127.0.0.1:0 --db :memory: --json",
      "serve --listen 0.0.0.0:8765 --tls-cert cert.pem --tls-key key.pem",
    ],
    notes:
      "Says on stdout where it listens and stores, then logs to stderr. When the disk fails under\n" +
      `it, it promises nothing any more, sends everybody away and ends with exit code ${EXIT.storage}.`,
  });
  return settingsAction(command, env, SERVE_SETTINGS, async ({ settings }) => {
    const log = openLog(settings);
    const safety = { ...(await authOptions(settings)), ...tlsOptions(settings) };
    const advice = nodeAdvice(process.versions);
    if (advice !== undefined) log.warn(advice);
    await serve(settings, safety, log);
    return EXIT.ok;
  });
}

async function serve(
  settings: ServeSettings,
  safety: AuthOptions & TlsOptions,
  log: Logger,
): Promise<void> {
  // Heard from the first moment: a signal during the start is not lost.
  const stopped = stopSignal();
  // Loaded here, so that the other commands start without the database's native code.
  const [{ startHub }, { openSqliteStore }] = await Promise.all([
    import("../server/hub.js"),
    import("../store/sqlite/open.js"),
  ]);
  const store = await openSqliteStore({ path: settings.db }).catch((cause) => oneSentence(cause));
  let other: { error: unknown } | undefined;
  try {
    await serveUntil(stopped, startHub, { settings, safety, store, log });
  } catch (error) {
    other = { error };
  }
  await store.close().catch((error: unknown) => {
    other ??= { error };
  });
  // Also where the disk failed only while the hub was stopping, or in the last copy of the log.
  const failure = await Promise.race([store.failed, setImmediate(undefined)]);
  if (failure !== undefined) throw diskFailed(failure);
  if (other !== undefined) throw other.error;
}

/** Runs a hub until it is told to stop, or its store has failed. */
async function serveUntil(
  stopped: Promise<NodeJS.Signals>,
  startHub: (options: HubOptions) => Promise<Hub>,
  of: { settings: ServeSettings; safety: AuthOptions & TlsOptions; store: Store; log: Logger },
): Promise<void> {
  const { settings, safety, store, log } = of;
  const hub = await startHub({
    ...settings,
    store,
    log,
    ...safety,
    heartbeatIntervalMs: settings.heartbeatInterval * 1000,
  }).catch((cause) => oneSentence(cause, settings.listen));
  try {
    await announce(hub, settings, store.durable);
    const end = await Promise.race([stopped, hub.failed]);
    if (!(end instanceof Error)) log.info({ signal: end }, "stopping");
  } finally {
    await hub.stop();
  }
}

function diskFailed(cause: Error): CommandError {
  return new CommandError(
    `${printable(cause.message)}; what has a receipt is stored. Look at the disk, run ` +
      "`claw-chat db verify`, and start the hub again.",
    EXIT.storage,
    { cause },
  );
}

/** Ctrl-C under npm comes twice, from the terminal and from npm, within this time. */
const SAME_SIGNAL_MS = 500;

/** The first SIGTERM or SIGINT; a second one ends the process at once. */
function stopSignal(): Promise<NodeJS.Signals> {
  return new Promise((heard) => {
    let first: { name: NodeJS.Signals; atMs: number } | undefined;
    const hear = (name: NodeJS.Signals, signalNumber: number) => {
      first ??= { name, atMs: performance.now() };
      const isFirst = name === first.name && performance.now() - first.atMs < SAME_SIGNAL_MS;
      if (!isFirst) process.exit(128 + signalNumber);
      heard(name);
    };
    process.on("SIGTERM", hear).on("SIGINT", hear);
  });
}

async function announce(hub: Hub, settings: ServeSettings, durable: boolean): Promise<void> {
  const db = durable ? resolve(settings.db) : settings.db;
  const tryIt = grpcurlLine(hub, settings.tlsCert !== undefined);
  if (settings.json) {
    await printJson({ address: hub.address, db, durable, auth: hub.auth, try: tryIt });
    return;
  }
  await print(`The Claw chat hub listens on ${hub.address}`);
  await print(
    durable
      ? `and stores in ${printable(db)}.`
      : "and stores in memory: nothing outlives this process.",
  );
  if (hub.auth === "required") await print("It asks for credentials: see `claw-chat keys --help`.");
  await print(`Try it: ${tryIt}`);
}

/** A line that holds on every hub: it opens a session and is answered. */
function grpcurlLine({ address, auth }: Hub, hasTls: boolean): string {
  const key = auth === "open" ? "" : "-H 'authorization: Bearer KEY' ";
  const reachable = address.replace(/^0\.0\.0\.0:/, "127.0.0.1:").replace(/^\[::\]:/, "[::1]:");
  return (
    `grpcurl ${hasTls ? "-cacert CA.pem" : "-plaintext"} -H 'claw-agent-id: me' ${key}-d '{"heartbeat":true}' ` +
    `${reachable} claw.chat.v1.ChatHub/Connect`
  );
}

function oneSentence(cause: unknown, listen?: string): never {
  const message = cause instanceof Error ? cause.message : String(cause);
  const sentence =
    listen !== undefined && message.includes("EADDRINUSE")
      ? `${listen} is taken by another program: end that one, or name another port with --listen.`
      : printable(message);
  throw new CommandError(sentence, EXIT.failed, { cause });
}
