import { styleText } from "node:util";
import Table from "cli-table3";
import { jsonLine, printable } from "./printable.js";

/**
 * Writes one line to stdout.
 * @returns once the reader has it, so that `listen` acks nothing that was not printed
 */
export function print(line: string): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(`${line}\n`, (error) => {
      if (error) reject(error);
      else resolve();
    });
  });
}

/** Prints an object of the client as a JSON line: snake_case names, ISO 8601 times, base64 bytes. */
export function printJson(value: object): Promise<void> {
  return print(jsonLine(snakeCase(value)));
}

/** Prints rows under headings; cells are texts of others and made printable here. */
export function printTable(headings: string[], rows: string[][]): Promise<void> {
  const table = new Table({
    head: headings.map((heading) => styleText("bold", heading)),
    chars: PLAIN,
    // cli-table3's own colours know nothing of NO_COLOR or pipes.
    style: { head: [], border: [], "padding-left": 0, "padding-right": 2 },
  });
  for (const row of rows) table.push(row.map(printable));
  const lines = table.toString().split("\n");
  return print(lines.map((line) => line.trimEnd()).join("\n"));
}

// Columns by space alone: easy to read, and to cut.
const PLAIN = {
  ...{ top: "", "top-mid": "", "top-left": "", "top-right": "" },
  ...{ bottom: "", "bottom-mid": "", "bottom-left": "", "bottom-right": "" },
  ...{ left: "", "left-mid": "", mid: "", "mid-mid": "", right: "", "right-mid": "", middle: "" },
};

/** An object with the names the proto has. Keys of a metadata map are the agents' own and stay. */
function snakeCase(value: unknown): unknown {
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
  if (Array.isArray(value)) return value.map(snakeCase);
  if (typeof value !== "object" || value === null) return value;
  const named: Record<string, unknown> = {};
  for (const [key, field] of Object.entries(value)) {
    if (field === undefined || typeof field === "function") continue;
    const name = key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    named[name] = key === "metadata" ? field : snakeCase(field);
  }
  return named;
}
