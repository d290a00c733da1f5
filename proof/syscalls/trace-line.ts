/** A system call that has returned. */
export interface SystemCall {
  name: string;
  /** Its arguments as strace prints them, without the strings. */
  words: string[];
  /** The bytes of its strings, in order: paths, or what was written. */
  strings: Uint8Array[];
  /** What it returned; below 0 it failed. */
  result: number;
  /** Numbers of the lines in which it began and returned; the same unless another thread came between. */
  begunAt: number;
  endedAt: number;
}

const STRING = /"((?:\\x[0-9a-f]{2})*)"(\.\.\.)?/g;
const CALL = /^(\w+)\((.*)\)\s+= (-?\d+|0x[0-9a-f]+|\?)/s;
const UNFINISHED = / <unfinished \.\.\.>$/;
const RESUMED = /^<\.\.\. \w+ resumed>/;

/**
 * Reads the lines of `strace -f -xx -o file`, one after another.
 * @returns a function that takes the next line, and returns the call that it completes, if any.
 *   It throws where strace has cut a string short
 */
export function readTraceLines(): (line: string) => SystemCall | undefined {
  const unfinished = new Map<string, { text: string; begunAt: number }>();
  let lineNumber = 0;
  return (line) => {
    lineNumber += 1;
    const space = line.indexOf(" ");
    const thread = line.slice(0, space);
    const text = line.slice(space).trimStart();
    if (UNFINISHED.test(text)) {
      unfinished.set(thread, { text: text.replace(UNFINISHED, ""), begunAt: lineNumber });
      return undefined;
    }
    if (!RESUMED.test(text)) return parseCall(text, lineNumber, lineNumber);
    const begun = unfinished.get(thread);
    unfinished.delete(thread);
    if (begun === undefined) throw new Error(`line ${lineNumber} resumes what never began`);
    return parseCall(begun.text + text.replace(RESUMED, ""), begun.begunAt, lineNumber);
  };
}

/** Signals and ends of threads are no calls. */
function parseCall(text: string, begunAt: number, endedAt: number): SystemCall | undefined {
  const strings: Uint8Array[] = [];
  const bare = text.replace(STRING, (_all, hex: string, cut: string | undefined) => {
    if (cut !== undefined) throw new Error(`line ${endedAt}: strace has cut a string short`);
    strings.push(Buffer.from(hex.replaceAll("\\x", ""), "hex"));
    return "";
  });
  const [, name, words, result] = CALL.exec(bare) ?? [];
  if (name === undefined || words === undefined || result === undefined) return undefined;
  return {
    name,
    words: words.split(",").map((word) => word.trim()),
    strings,
    // `?`: the process ended before the call returned.
    result: result === "?" ? -1 : Number(result),
    begunAt,
    endedAt,
  };
}
