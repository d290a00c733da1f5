import { existsSync, readFileSync } from "node:fs";
import { parse } from "yaml";
import { UsageError } from "./exit.js";
import { printable } from "./printable.js";
import { fileKeyOf, SETTINGS } from "./settings.js";

/** The config file that is read where none is named. */
const DEFAULT_CONFIG = "./claw-chat.yaml";

/** A config file's path and its keys; no keys where there is no file. */
export interface ConfigFile {
  path: string;
  keys: Map<string, unknown>;
}

/**
 * Reads the config file.
 * @param path the file that was named; undefined takes ./claw-chat.yaml where it exists
 * @throws UsageError when a named file cannot be read, or a file is no YAML mapping of known settings
 */
export function readConfigFile(path: string | undefined): ConfigFile {
  const from = path ?? DEFAULT_CONFIG;
  if (path === undefined && !existsSync(from)) return { path: from, keys: new Map() };
  const known = Object.keys(SETTINGS).map(fileKeyOf);
  const keys = new Map(Object.entries(readMapping(from)));
  const unknown = [...keys.keys()].filter((key) => !known.includes(key));
  if (unknown.length > 0) {
    throw new UsageError(
      `${from} has an unknown setting: ${unknown.map(printable).join(", ")}. Known: ${known.join(", ")}.`,
    );
  }
  return { path: from, keys };
}

function readMapping(path: string): object {
  let document: unknown;
  try {
    document = parse(readFileSync(path, "utf8"));
  } catch (cause) {
    const why = cause instanceof Error ? (cause.message.split("\n")[0] ?? "") : String(cause);
    throw new UsageError(`the config file ${path} cannot be read: ${printable(why)}`, { cause });
  }
  if (document === null) return {};
  if (typeof document === "object" && !Array.isArray(document)) return document;
  throw new UsageError(`the config file ${path} must be a mapping, such as "hub: localhost:8765".`);
}
