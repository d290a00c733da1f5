import { CALLER_MUTANTS } from "./caller-mutants.ts";
import { CHAT_MUTANTS } from "./chat-mutants.ts";
import { LOG_MUTANTS } from "./log-mutants.ts";
import type { RuleMutant } from "./rule-mutant.ts";

/** Bugs for the transcripts alone; each is caught by those it names. */
export const RULE_MUTANTS: readonly RuleMutant[] = [
  ...CALLER_MUTANTS,
  ...CHAT_MUTANTS,
  ...LOG_MUTANTS,
];
