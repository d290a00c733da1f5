/** A fenced block of code. */
export interface CodeBlock {
  /** The word behind the opening fence, such as "sh". */
  language: string;
  text: string;
}

/** What of a document stays the same in another language, and what of it tests run. */
export interface Markdown {
  /** All fenced blocks, in order. */
  blocks: CodeBlock[];
  /** The level of every heading, in order: 2 for "## …". */
  headingLevels: number[];
  /** Where links lead, in order. */
  links: string[];
  /** Every table, header first and without the ruling line, as rows of cells. */
  tables: string[][][];
}

/** Reads as much of Markdown as the documents of this repository use. */
export function readMarkdown(text: string): Markdown {
  const fenced = /^```(\w*)\n([\s\S]*?)^```$/gm;
  const blocks = [...text.matchAll(fenced)].map(([, language = "", code = ""]) => ({
    language,
    text: code,
  }));
  const prose = text.replace(fenced, "");
  const headings = [...prose.matchAll(/^(#+) /gm)];
  const links = [...prose.matchAll(/\]\(([^)]+)\)/g)];
  const tables = [...prose.matchAll(/(?:^\|.*\|\n)+/gm)];
  return {
    blocks,
    headingLevels: headings.map(([, marks = ""]) => marks.length),
    links: links.map(([, target = ""]) => target),
    tables: tables.map(([table]) => rowsOf(table)),
  };
}

function rowsOf(table: string): string[][] {
  return table
    .trimEnd()
    .split("\n")
    .filter((line) => !/^[|:-]+$/.test(line))
    .map((line) => line.split("|").slice(1, -1))
    .map((cells) => cells.map((cell) => cell.trim()));
}
