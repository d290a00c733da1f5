import type { Verdict } from "./judge.ts";
import type { Judged } from "./roles.ts";

/**
 * Judges a command by several scenarios, some of them at a time.
 * @param of.tell told of each verdict as it comes
 * @returns the verdicts, in the order of their coming
 */
export async function judgeAll(of: {
  scenarios: readonly Judged[];
  command: readonly string[];
  jobs: number;
  patienceMs?: number;
  tell?: (verdict: Verdict) => void;
}): Promise<Verdict[]> {
  const verdicts: Verdict[] = [];
  const waiting = of.scenarios.values();
  const work = async () => {
    for (const scenario of waiting) {
      const verdict = await scenario.judge(of.command, of.patienceMs);
      verdicts.push(verdict);
      of.tell?.(verdict);
    }
  };
  await Promise.all(Array.from({ length: of.jobs }, work));
  return verdicts;
}
