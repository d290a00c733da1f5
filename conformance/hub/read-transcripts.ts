import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Document, LineCounter, parseAllDocuments } from "yaml";
import { problemsIn } from "./check-transcript.ts";
import { isObject } from "./contract.ts";
import { refusalsIn, stepOf } from "./read-step.ts";
import type { Transcript } from "./transcript.ts";

/** Where the transcripts of the kit are. */
export const FOLDER = fileURLToPath(new URL("./transcripts/", import.meta.url));

/** A transcript that cannot be read: the message begins with its file and line. */
export class BadTranscript extends Error {}

/**
 * All transcripts of a folder, in the order of its files.
 * @throws BadTranscript for the first thing that is wrong with any of them
 */
export function readFolder(folder: string): Transcript[] {
  const files = readdirSync(folder).filter((name) => name.endsWith(".yaml"));
  const transcripts = files
    .sort()
    .flatMap((name) => readText(readFileSync(join(folder, name), "utf8"), name));
  const seen = new Map<string, Transcript>();
  for (const one of transcripts) {
    const before = seen.get(one.id);
    if (before !== undefined) {
      throw new BadTranscript(
        `${one.file}:${one.line}: the id ${one.id} is taken by ${before.file}:${before.line}`,
      );
    }
    seen.set(one.id, one);
  }
  return transcripts;
}

/**
 * The transcripts of a YAML file: one in each of its documents.
 * @throws BadTranscript
 */
export function readText(text: string, name: string): Transcript[] {
  const file = basename(name);
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, { lineCounter: lines, uniqueKeys: true });
  if (!Array.isArray(documents) || documents.length === 0) {
    throw new BadTranscript(`${file}:1: there is no transcript in it`);
  }
  return documents.map((document) => readDocument(document, { file, lines }));
}

function readDocument(document: Document, of: { file: string; lines: LineCounter }): Transcript {
  const bad = (line: number, what: string) => new BadTranscript(`${of.file}:${line}: ${what}`);
  const [error] = document.errors;
  if (error !== undefined) throw bad(of.lines.linePos(error.pos[0]).line, error.message);
  const lineOf = (path: readonly (string | number)[]): number => {
    const node = path.length === 0 ? document.contents : document.getIn(path, true);
    const range = (node as { range?: [number] } | undefined)?.range;
    return range === undefined ? lineOf(path.slice(0, -1)) : of.lines.linePos(range[0]).line;
  };
  const json: unknown = document.toJS();
  if (!isObject(json)) throw bad(lineOf([]), "a transcript is a mapping with id, title and steps");
  const [problem] = problemsIn(json);
  if (problem !== undefined) throw bad(lineOf(problem.path), problem.what);
  const steps = (json.steps as Record<string, unknown>[]).map((step, index) =>
    stepOf(step, lineOf(["steps", index])),
  );
  return {
    id: String(json.id),
    title: String(json.title),
    rules: json.rules as string[],
    needs: (json.needs ?? []) as Transcript["needs"],
    agents: (json.agents ?? []) as string[],
    services: (json.services ?? []) as string[],
    refusals: [...new Set(steps.flatMap(refusalsIn))],
    steps,
    file: of.file,
    line: lineOf([]),
  };
}
