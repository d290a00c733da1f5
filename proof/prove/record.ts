import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { ProofResult } from "./run-proof.ts";

const FILE = fileURLToPath(new URL("../../docs/guarantees.md", import.meta.url));
const BEGIN = "<!-- figures of the last run: written by npm run prove -- --record -->";
const END = "<!-- end of the figures -->";

/** Writes the figures into docs/guarantees.md, in place of the rows of the same proofs. */
export function record(results: readonly ProofResult[], date: string): void {
  const text = readFileSync(FILE, "utf8");
  const from = text.indexOf(BEGIN);
  const to = text.indexOf(END);
  if (from === -1 || to === -1) throw new Error("docs/guarantees.md has no place for the figures");
  const rows = new Map<string, string>();
  for (const row of text.slice(from, to).split("\n")) {
    const name = /^\| `([^`]+)` \|/.exec(row)?.[1];
    if (name !== undefined) rows.set(name, row);
  }
  for (const { name, verdict, seconds, figures, command } of results) {
    rows.set(
      name,
      `| \`${name}\` | ${verdict} | \`${figures}\` | ${Math.round(seconds)} s | ${date} | \`${command}\` |`,
    );
  }
  const table = [
    "| Proof | | Its last line | Took | On | Command |",
    "|---|---|---|---|---|---|",
    ...rows.values(),
  ];
  writeFileSync(FILE, `${text.slice(0, from)}${BEGIN}\n\n${table.join("\n")}\n\n${text.slice(to)}`);
}
