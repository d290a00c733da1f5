import { fileURLToPath } from "node:url";
import { judgeClient, type Verdict } from "./judge.ts";
import { judgeProgram } from "./programs/judge-program.ts";
import { loadProgramScenarios } from "./programs/program-scenario.ts";
import { loadScenarios } from "./scenario.ts";

/** What a command is; `docs/conformance.md` describes each. */
export const ROLES = ["driver", "provider", "consumer"] as const;
export type Role = (typeof ROLES)[number];

/** A scenario, and how a command is judged by it. */
export interface Judged {
  name: string;
  must: string;
  rules: string[];
  /** @throws Error where the scenario is wrong, or the command cannot be started */
  judge(command: readonly string[], patienceMs?: number): Promise<Verdict>;
}

/** The programs of this package's own client. */
const OWN: Record<Role, string> = {
  driver: "driver.ts",
  provider: "weather-provider.ts",
  consumer: "weather-consumer.ts",
};

export function isRole(word: string): word is Role {
  return (ROLES as readonly string[]).includes(word);
}

/** Every scenario for commands of a role, by name. */
export function judgedAs(role: Role): Judged[] {
  if (role === "driver") {
    return loadScenarios().map((scenario) => ({
      ...scenario,
      judge: (command, patienceMs) => judgeClient(scenario, command, patienceMs),
    }));
  }
  return loadProgramScenarios(role).map((scenario) => ({
    ...scenario,
    judge: (command, patienceMs) => judgeProgram(scenario, role, command, patienceMs),
  }));
}

/** The command that this package's own client is judged by. */
export function ownCommand(role: Role): string[] {
  return [
    process.execPath,
    fileURLToPath(new URL(`drivers/typescript/${OWN[role]}`, import.meta.url)),
  ];
}
