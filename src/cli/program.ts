import { logVerbosity, setLogVerbosity } from "@grpc/grpc-js";
import { Command } from "commander";
import { HUB_VERSION } from "../server/version.js";
import { acceptCommand, rejectCommand } from "./answers.js";
import { auditCommand } from "./audit.js";
import { channelsCommand } from "./channels.js";
import { dbCommand } from "./db.js";
import { endCommand } from "./end.js";
import { describeFailure, EXIT } from "./exit.js";
import { healthCommand } from "./health.js";
import { historyCommand } from "./history.js";
import { keysCommand } from "./keys.js";
import { listenCommand } from "./listen.js";
import { requestCommand } from "./request.js";
import { sendCommand } from "./send.js";
import { serveCommand } from "./serve.js";
import { registerCommand, servicesCommand, unregisterCommand } from "./services.js";
import type { Environment } from "./settings.js";

const EXIT_CODES = `
Exit codes:
  ${EXIT.ok}    done
  ${EXIT.failed}    the hub refused, or something failed
  ${EXIT.usage}    a flag, an argument or a setting is wrong
  ${EXIT.unreachable}    the hub cannot be reached, or did not answer in time
  ${EXIT.declined}    request: rejected, expired or taken back
  ${EXIT.storage}    serve: the disk or the database failed while it ran
  ${EXIT.interrupted}  ended by Ctrl-C

Settings:
  A flag counts first, then the variable of its name (--max-message-bytes:
  CLAW_MAX_MESSAGE_BYTES), then the config file (max_message_bytes), then the
  default shown in [ ]. The config file is the one --config or CLAW_CONFIG
  names, else ./claw-chat.yaml where it exists.

Examples:
  $ claw-chat serve
  $ claw-chat listen --agent bob
  $ claw-chat send --agent alice --to bob "Hello"`;

/**
 * Runs one command line.
 * @param words the arguments, without node and the script
 * @returns the exit code; everything it has to say is written by then
 */
export async function run(words: string[], env: Environment): Promise<number> {
  process.exitCode = EXIT.ok;
  // grpc-js logs to stderr what is also reported as an error; its own variable turns that on again.
  if (env.GRPC_VERBOSITY === undefined) setLogVerbosity(logVerbosity.NONE);
  try {
    await program(env).parseAsync(words, { from: "user" });
    return Number(process.exitCode);
  } catch (error) {
    const { exitCode, sentence } = describeFailure(error);
    if (sentence !== undefined) process.stderr.write(`claw-chat: ${sentence}\n`);
    return exitCode;
  }
}

function program(env: Environment): Command {
  const commands = [
    serveCommand(env),
    registerCommand(env),
    unregisterCommand(env),
    servicesCommand(env),
    requestCommand(env),
    acceptCommand(env),
    rejectCommand(env),
    sendCommand(env),
    listenCommand(env),
    historyCommand(env),
    endCommand(env),
    channelsCommand(env),
    healthCommand(env),
    dbCommand(env),
    keysCommand(env),
    auditCommand(env),
  ];
  const claw = new Command("claw-chat")
    .description("A hub through which agents talk to each other, and the commands to use it.")
    .usage("<command> [options]")
    .version(HUB_VERSION, "--version", "show the version")
    .helpOption("-h, --help", "show this help, or that of a command")
    .helpCommand(false)
    .exitOverride()
    .addHelpText("after", EXIT_CODES);
  for (const command of commands) claw.addCommand(command);
  return claw;
}
