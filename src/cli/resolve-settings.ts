import type { Command } from "commander";
import { type ConfigFile, readConfigFile } from "./config-file.js";
import { UsageError } from "./exit.js";
import { printable } from "./printable.js";
import type { Environment } from "./settings.js";
import {
  fileKeyOf,
  flagOf,
  SETTINGS,
  type Setting,
  type SettingName,
  type Settings,
  variableOf,
} from "./settings.js";

const CONFIG_VARIABLE = variableOf("config");

/**
 * The settings of a command: its flags, then CLAW_* variables, then the config
 * file, then defaults. An empty variable counts as not set.
 * @throws UsageError for an unknown CLAW_* variable or config key, or a value that does not fit
 */
export function readSettings<N extends SettingName>(
  command: Command,
  names: readonly N[],
  env: Environment,
): Settings<N> {
  refuseUnknownVariables(env);
  const flags = command.opts<Record<string, unknown>>();
  const file = readConfigFile(textOf(flags.config) ?? (env[CONFIG_VARIABLE] || undefined));
  const entries = names.map((name) => [name, readSetting(name, { flags, env, file })]);
  // Each value was read by its own setting's kind, or is its default.
  return Object.fromEntries(entries) as Settings<N>;
}

function readSetting(
  name: SettingName,
  from: { flags: Record<string, unknown>; env: Environment; file: ConfigFile },
): unknown {
  const setting: Setting<unknown> = SETTINGS[name];
  const flag = from.flags[name];
  if (typeof flag === "boolean") return flag;
  if (typeof flag === "string") {
    return setting.kind.fromText(flag) ?? refuseValue(setting, flagOf(name), flag);
  }
  const variable = from.env[variableOf(name)];
  if (variable !== undefined && variable !== "") {
    return setting.kind.fromText(variable) ?? refuseValue(setting, variableOf(name), variable);
  }
  const key = fileKeyOf(name);
  if (from.file.keys.has(key)) {
    const value = from.file.keys.get(key);
    const place = `${key} in ${from.file.path}`;
    return setting.kind.fromFile(value) ?? refuseValue(setting, place, JSON.stringify(value));
  }
  return setting.defaultValue;
}

function refuseValue(setting: Setting<unknown>, place: string, value: string): never {
  const shown = setting.secret ? "has a wrong value" : `is ${printable(value) || "empty"}`;
  throw new UsageError(`${place} ${shown}: expected ${setting.kind.expected}.`);
}

function refuseUnknownVariables(env: Environment): void {
  const known = [...Object.keys(SETTINGS).map(variableOf), CONFIG_VARIABLE];
  const unknown = Object.keys(env).filter((key) => key.startsWith("CLAW_") && !known.includes(key));
  if (unknown.length === 0) return;
  throw new UsageError(
    `unknown environment variable: ${unknown.map(printable).join(", ")}. Known: ${known.join(", ")}.`,
  );
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
