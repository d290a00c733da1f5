import { CommanderError } from "commander";
import { ChatHubError } from "../client/errors.js";
import { printable } from "./printable.js";

/** What claw-chat's exit codes mean; `--help` prints them. */
export const EXIT = {
  ok: 0,
  /** The hub refused, or something failed. */
  failed: 1,
  /** A flag, argument or setting is wrong. */
  usage: 2,
  /** The hub cannot be reached, or did not answer in time. */
  unreachable: 3,
  /** `request`: the answer is no, or none came in time. */
  declined: 4,
  /** `serve`: the disk or the database failed while it ran. */
  storage: 5,
  /** Ctrl-C. */
  interrupted: 130,
} as const;

/** A flag, argument or setting is wrong. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** Something failed; the message is a sentence for people. */
export class CommandError extends Error {
  override readonly name = "CommandError";
  readonly exitCode: number;
  constructor(message: string, exitCode: number, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

const UNAVAILABLE = 14;

/** The exit code for whatever a command threw, and the sentence to print; no sentence where it was printed already. */
export function describeFailure(error: unknown): { exitCode: number; sentence?: string } {
  if (error instanceof CommanderError) {
    return { exitCode: error.exitCode === 0 ? EXIT.ok : EXIT.usage };
  }
  if (error instanceof UsageError) return { exitCode: EXIT.usage, sentence: error.message };
  if (error instanceof CommandError) return { exitCode: error.exitCode, sentence: error.message };
  if (error instanceof ChatHubError) {
    const sentence = `${printable(error.message)} (${printable(error.reason)})`;
    return { exitCode: exitCodeOf(error), sentence };
  }
  // The reader of the output has left (`| head`): nobody to tell.
  if (error instanceof Error && "code" in error && error.code === "EPIPE") {
    return { exitCode: EXIT.failed };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { exitCode: EXIT.failed, sentence: printable(message) };
}

/** The hub was not there, or did not answer in time. */
export function isUnreachable(error: ChatHubError): boolean {
  return error.reason === "TIMEOUT" || error.code === UNAVAILABLE;
}

function exitCodeOf(error: ChatHubError): number {
  if (error.reason === "ABORTED_BY_CALLER") return EXIT.interrupted;
  // The client's own words about what it was given; the hub uses neither.
  if (error.reason === "BAD_URL" || error.reason === "BAD_OPTION") return EXIT.usage;
  if (isUnreachable(error)) return EXIT.unreachable;
  return EXIT.failed;
}
