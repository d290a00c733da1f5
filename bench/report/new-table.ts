import Table from "cli-table3";

/** Lines between columns, but none between rows: tables that can be pasted anywhere. */
const CHARS = { mid: "", "left-mid": "", "mid-mid": "", "right-mid": "" };

/**
 * An empty table.
 * @param columns a letter for each: l for left, r for right
 */
export function newTable(head: string[], columns: string): Table.Table {
  return new Table({
    head,
    style: { head: [], border: [] },
    colAligns: [...columns].map((letter) => (letter === "l" ? "left" : "right")),
    chars: CHARS,
  });
}

/** A whole number, in groups of three. */
export function whole(figure: number): string {
  return Math.round(figure).toLocaleString("en");
}

/** A ratio. */
export function times(ratio: number): string {
  return `${ratio.toFixed(2)} ×`;
}
