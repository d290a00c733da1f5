import { Command, InvalidArgumentError, Option } from "commander";
import { EXIT } from "./exit.js";
import { addPrintFlag, type PrintInstead, printInsteadOf } from "./print-flag.js";
import { readSettings } from "./resolve-settings.js";
import type { Kind } from "./setting-kinds.js";
import {
  AGENT_SETTINGS,
  type AgentSettings,
  type Environment,
  flagOf,
  SETTINGS,
  type Setting,
  type SettingName,
  type Settings,
} from "./settings.js";
import { clientOptionsOf } from "./with-client.js";

/**
 * A command of claw-chat: its help has examples, and an unknown flag is answered
 * with the known ones.
 *
 * @param of.settings the settings it takes, as flags, variables and config keys
 * @param of.examples command lines, without the leading "claw-chat"
 */
export function newCommand(of: {
  name: string;
  summary: string;
  settings: readonly SettingName[];
  examples: string[];
  notes?: string;
}): Command {
  const command = new Command(of.name)
    .description(of.summary)
    .allowExcessArguments(false)
    .helpOption("-h, --help", "show this help")
    .exitOverride((error) => {
      if (error.code === "commander.unknownOption") {
        process.stderr.write(`Known: ${knownFlags(command).join(", ")}.\n`);
      }
      throw error;
    });
  for (const name of of.settings) addSetting(command, name, SETTINGS[name]);
  command.addOption(new Option("--config <file>", "config file [./claw-chat.yaml]"));
  const examples = of.examples.map((example) => `  $ claw-chat ${example}`).join("\n");
  command.addHelpText("after", `${of.notes ? `\n${of.notes}\n` : ""}\nExamples:\n${examples}`);
  return command;
}

/** Gives a command its work: the exit code it returns is the process's; nothing means 0. */
export function settingsAction<N extends SettingName, O extends object>(
  command: Command,
  env: Environment,
  names: readonly N[],
  work: (call: {
    settings: Settings<N>;
    options: O;
    words: string[];
  }) => Promise<number | undefined>,
): Command {
  return command.action(async () => {
    const settings = readSettings(command, names, env);
    const words = command.args;
    process.exitCode = (await work({ settings, options: command.opts<O>(), words })) ?? EXIT.ok;
  });
}

/**
 * The same for a command that talks to a hub as an agent. Where `printInstead` is given, that is
 * what the command does with its call.
 */
export function agentAction<O extends object>(
  command: Command,
  env: Environment,
  work: (call: {
    settings: AgentSettings;
    options: O;
    words: string[];
    printInstead: PrintInstead | undefined;
  }) => Promise<number | undefined>,
): Command {
  return settingsAction<(typeof AGENT_SETTINGS)[number], O>(
    addPrintFlag(command),
    env,
    AGENT_SETTINGS,
    (call) => {
      const printInstead = printInsteadOf(command, call.settings, env);
      // A line is not printed either where the settings are wrong.
      if (printInstead !== undefined) clientOptionsOf(call.settings);
      return work({ ...call, printInstead });
    },
  );
}

/** Reads a flag of one call with the checks of a setting. */
export function as<T>(kind: Kind<T>): (value: string) => T {
  return (value) => {
    const read = kind.fromText(value);
    if (read === undefined) throw new InvalidArgumentError(`Expected ${kind.expected}.`);
    return read;
  };
}

/** Collects a flag that may be given several times. */
export function collect(value: string, before: string[] | undefined): string[] {
  return [...(before ?? []), value];
}

function addSetting(command: Command, name: string, setting: Setting<unknown>): void {
  const flag = flagOf(name);
  const { placeholder } = setting.kind;
  const note = setting.defaultValue === undefined ? "" : ` [${String(setting.defaultValue)}]`;
  if (placeholder !== undefined) {
    command.addOption(new Option(`${flag} <${placeholder}>`, setting.description + note));
    return;
  }
  // A switch can be turned off on the command line too, whatever the environment says; the
  // help shows the form that changes the default.
  const on = new Option(flag, setting.description);
  const off = new Option(`--no-${flag.slice(2)}`, setting.description);
  command.addOption(setting.defaultValue === true ? on.hideHelp() : on);
  command.addOption(setting.defaultValue === true ? off : off.hideHelp());
}

function knownFlags(command: Command): string[] {
  const flags = command.options.filter((option) => !option.hidden).map((option) => option.long);
  return [...flags.filter((flag) => flag != null), "--help"];
}
