import type { Command } from "commander";
import type { OutsideCall } from "./outside-call.js";
import type { Reach } from "./print-grpcurl.js";
import type { Environment } from "./settings.js";

/** Prints the grpcurl line of a call; remarks say what that does not do. Returns the exit code. */
export type PrintInstead = (call: OutsideCall, remarks?: string[]) => Promise<number>;

/** Gives a command that makes one call the flag `--print-grpcurl`. */
export function addPrintFlag(command: Command): Command {
  return command.option(
    "--print-grpcurl",
    "print the grpcurl line that does the same, and do nothing else",
  );
}

/** What prints a command's call instead of making it; undefined where the flag is not given. */
export function printInsteadOf(
  command: Command,
  reach: Reach,
  env: Environment,
): PrintInstead | undefined {
  if (!command.opts<{ printGrpcurl?: true }>().printGrpcurl) return undefined;
  return async (call, remarks = []) => {
    // Loaded here: no command needs it in order to run.
    const { printGrpcurl } = await import("./print-grpcurl.js");
    return printGrpcurl(reach, env, call, remarks);
  };
}
