import { readFileSync } from "node:fs";

/** A row of the table of refusals in docs/protocol.md. */
export interface RefusalRow {
  reason: string;
  /** A gRPC status code. */
  code: number;
  retryable: boolean;
}

const protocol = readFileSync(new URL("../../docs/protocol.md", import.meta.url), "utf8");

/** The ids of all rules, in the order of docs/protocol.md. */
export const RULES: readonly string[] = [...protocol.matchAll(/^\*\*([A-Z]\d{1,2})\*\*/gm)].map(
  ([, id]) => id ?? "",
);

/** All refusals by their reason. */
export const REFUSALS: ReadonlyMap<string, RefusalRow> = new Map(
  [...protocol.matchAll(/^\| `([A-Z_]+)` \| (\d+) `[A-Z_]+` \| (no|yes)/gm)].map(
    ([, reason = "", code, retryable]) => [
      reason,
      { reason, code: Number(code), retryable: retryable === "yes" },
    ],
  ),
);

/** Refusals that no transcript can provoke, and why. */
export const BEYOND_REACH: Readonly<Record<string, string>> = {
  INTERNAL: "says that the hub has a fault",
};

if (RULES.length === 0 || REFUSALS.size === 0) {
  throw new Error("docs/protocol.md has no rules, or no refusals");
}
