import { DEFAULT_LIMITS } from "../protocol/limits.js";
import { choice, type Kind, number, onOff, text } from "./setting-kinds.js";

/** The environment variables a command sees. */
export type Environment = Record<string, string | undefined>;

/** One setting: its flag, variable and key in the config file follow from its name. */
export interface Setting<T> {
  description: string;
  kind: Kind<T>;
  /** Undefined: there is none, and the setting may stay unset. */
  defaultValue: T;
  /** Its value is never printed. */
  secret?: true;
}

/** How long a hub may take to answer a call where nobody says otherwise. */
export const DEFAULT_TIMEOUT_S = 10;

const ADDRESS = /^(\[[0-9A-Fa-f:.]+\]|[^\s:/]+):([0-9]{1,5})$/;

/** Every setting of claw-chat. What a command asks for beside these is an argument of that one call. */
export const SETTINGS = {
  hub: {
    description: "the hub: localhost:8765, grpc://… or grpcs://…",
    kind: text("address"),
    defaultValue: "localhost:8765",
  },
  agent: optional("who is speaking", text("id")),
  apiKey: {
    ...optional("sent as `authorization: Bearer …`; other users can see flags", text("key")),
    secret: true,
  },
  caCert: optional("certificate authority for grpcs://, a PEM file", text("file")),
  clientCert: optional("this agent's certificate for grpcs://, a PEM file", text("file")),
  clientKey: optional("its private key, a PEM file", text("file")),
  timeout: {
    description: "how long the hub may take to answer a call",
    kind: number({ placeholder: "seconds", least: 0.1, most: 86_400 }),
    defaultValue: DEFAULT_TIMEOUT_S,
  },
  json: { description: "one JSON object a line", kind: onOff(), defaultValue: false },
  listen: {
    description: "where to listen; port 0 takes a free one",
    kind: text("host:port", ADDRESS, "host:port, such as 127.0.0.1:8765"),
    defaultValue: "127.0.0.1:8765",
  },
  db: {
    description: "the database file; :memory: keeps nothing",
    kind: text("file"),
    defaultValue: "./claw-chat.db",
  },
  insecure: {
    description: "allow an address that is not loopback without credentials and TLS",
    kind: onOff(),
    defaultValue: false,
  },
  tlsCert: optional(
    "the hub's certificate, a PEM file that is read again when it changes",
    text("file"),
  ),
  tlsKey: optional("its private key, a PEM file", text("file")),
  clientCa: optional("whose client certificates name agents, a PEM file", text("file")),
  auth: optional(
    "required: ask for credentials; default where there are any",
    choice("mode", ["open", "required"]),
  ),
  jwks: optional("takes tokens signed with these keys: a JSON web key set", text("file|url")),
  jwtIssuer: optional("what `iss` of a token must be", text("issuer")),
  jwtAudience: optional("what `aud` of a token must be, or hold", text("audience")),
  jwtAlgorithms: optional("how tokens may be signed; default EdDSA,ES256,RS256", text("names")),
  directChats: {
    description: "refuse chats without a service",
    kind: onOff(),
    defaultValue: true,
  },
  maxMessageBytes: {
    description: "largest frame an agent may send",
    kind: number({ placeholder: "bytes", least: 1024, most: 1.75 * 1024 * 1024, whole: true }),
    defaultValue: 1024 * 1024,
  },
  maxFramesPerSecond: {
    description: "requests an agent may send; 0: no limit",
    kind: number({ placeholder: "n", least: 0, most: 0xffff_ffff, whole: true }),
    defaultValue: DEFAULT_LIMITS.maxFramesPerSecond,
  },
  maxBytesPerSecond: {
    description: "their bytes; not less than the largest frame",
    kind: number({ placeholder: "bytes", least: 0, most: 0xffff_ffff, whole: true }),
    defaultValue: DEFAULT_LIMITS.maxBytesPerSecond,
  },
  maxPendingRequests: {
    description: "requests one consumer may have waiting",
    kind: number({ placeholder: "n", least: 0, most: 1_000_000, whole: true }),
    defaultValue: DEFAULT_LIMITS.maxPendingRequests,
  },
  maxChannels: {
    description: "unended chats an agent may have begun, its services counted in",
    kind: number({ placeholder: "n", least: 0, most: 0xffff_ffff, whole: true }),
    defaultValue: DEFAULT_LIMITS.maxChannels,
  },
  maxSessions: {
    description: "sessions an agent may have open",
    kind: number({ placeholder: "n", least: 0, most: 1_000_000, whole: true }),
    defaultValue: DEFAULT_LIMITS.maxSessions,
  },
  maxMetadataEntries: {
    description: "entries of a metadata map",
    kind: number({ placeholder: "n", least: 1, most: 100_000, whole: true }),
    defaultValue: DEFAULT_LIMITS.maxMetadataEntries,
  },
  maxMetadataBytes: {
    description: "names and values of a metadata map together",
    kind: number({ placeholder: "bytes", least: 1, most: 1.75 * 1024 * 1024, whole: true }),
    defaultValue: DEFAULT_LIMITS.maxMetadataBytes,
  },
  maxConnectionsPerAddress: {
    description: "connections from one address; 0: no limit",
    kind: number({ placeholder: "n", least: 0, most: 1_000_000, whole: true }),
    defaultValue: DEFAULT_LIMITS.maxConnectionsPerAddress,
  },
  maxConnections: {
    description: "connections in all; 0: no limit",
    kind: number({ placeholder: "n", least: 0, most: 1_000_000, whole: true }),
    defaultValue: DEFAULT_LIMITS.maxConnections,
  },
  maxFailedLoginsPerMinute: {
    description: "logins from one address that may fail before failing ones are put off",
    kind: number({ placeholder: "n", least: 0, most: 1_000_000, whole: true }),
    defaultValue: DEFAULT_LIMITS.maxFailedLoginsPerMinute,
  },
  maxUnackedPerChannel: {
    description: "deliveries of one chat an agent may leave unacked",
    kind: number({ placeholder: "n", least: 1, most: 1_000_000, whole: true }),
    defaultValue: 256,
  },
  maxUnacked: {
    description: "deliveries an agent may leave unacked in all",
    kind: number({ placeholder: "n", least: 1, most: 1_000_000, whole: true }),
    defaultValue: 1024,
  },
  heartbeatInterval: {
    description: "how often clients that send heartbeats should",
    kind: number({ placeholder: "seconds", least: 1, most: 3600 }),
    defaultValue: 10,
  },
  logLevel: {
    description: "the least important log line to write",
    kind: choice("level", ["trace", "debug", "info", "warn", "error", "silent"]),
    defaultValue: "info",
  },
  logFormat: {
    description: "auto: text on a terminal, JSON lines otherwise",
    kind: choice("format", ["auto", "json", "text"]),
    defaultValue: "auto",
  },
} as const satisfies Record<string, Setting<unknown>>;

function optional<T>(description: string, kind: Kind<T>): Setting<T | undefined> {
  return { description, kind, defaultValue: undefined };
}

export type SettingName = keyof typeof SETTINGS;

/** What a setting's kind reads, and undefined where it has no default. */
type ValueOf<S> = S extends { kind: Kind<infer T>; defaultValue: infer D }
  ? T | (D extends undefined ? undefined : never)
  : never;

/** Values of some settings. */
export type Settings<N extends SettingName = SettingName> = {
  [K in N]: ValueOf<(typeof SETTINGS)[K]>;
};

/** Settings of every command that talks to a hub as an agent. */
export const AGENT_SETTINGS = [
  ...(["hub", "agent", "apiKey", "caCert", "clientCert", "clientKey"] as const),
  ...(["timeout", "json"] as const),
] as const;
export type AgentSettings = Settings<(typeof AGENT_SETTINGS)[number]>;

/** "maxMessageBytes" as in the config file: max_message_bytes. */
export function fileKeyOf(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** "maxMessageBytes" as in the environment: CLAW_MAX_MESSAGE_BYTES. */
export function variableOf(name: string): string {
  return `CLAW_${fileKeyOf(name).toUpperCase()}`;
}

/** "maxMessageBytes" as a flag: --max-message-bytes. */
export function flagOf(name: string): string {
  return `--${fileKeyOf(name).replaceAll("_", "-")}`;
}
