import { Command, InvalidArgumentError } from "commander";
import { atLeastOne } from "../proof/support/whole-number.ts";

/** What a run was asked for. */
export interface Flags {
  full: boolean;
  small: boolean;
  json: boolean;
  /** Parts to run; none: all. */
  only: string[];
  rounds: number;
  ms: number;
  warmMs: number;
}

/** Reads the command line; ends the process where it is wrong, or asks for help. */
export function readFlags(parts: readonly string[]): Flags {
  const name = (text: string, before: string[]): string[] => {
    if (parts.includes(text)) return [...before, text];
    throw new InvalidArgumentError(`it is one of ${parts.join(", ")}`);
  };
  return new Command("bench")
    .description("Measures this hub beside what people would use instead, and judges its goals.")
    .option("--full", "everything, which takes long", false)
    .option("--only <part>", `${parts.join(", ")}; may be given several times`, name, [])
    .option("--rounds <n>", "how often each system is measured, in turns", atLeastOne, 5)
    .option("--ms <n>", "how long each time, in milliseconds", atLeastOne, 800)
    .option("--warm-ms <n>", "how long a load runs before that", atLeastOne, 300)
    .option("--small", "little data and few agents, to see whether the benchmark works", false)
    .option("--json", "print an object for programs", false)
    .parse()
    .opts<Flags>();
}
