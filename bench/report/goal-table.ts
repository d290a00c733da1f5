import type { Goal } from "./goals.ts";
import { newTable } from "./new-table.ts";

/** The goals, each with what was measured. */
export function goalTable(goals: readonly Goal[]): string {
  const table = newTable(["goal", "unit", "must", "aim", "measured", "", "note"], "llrrrll");
  for (const { what, unit, bound, must, aim, measured, met, note } of goals) {
    const sign = bound === "at least" ? "≥" : "≤";
    const figure = measured === null ? "not measured" : measured.toFixed(2);
    const verdict = met === null ? "" : met ? "met" : "MISSED";
    table.push([what, unit, `${sign} ${must}`, `${sign} ${aim}`, figure, verdict, note]);
  }
  return table.toString();
}
