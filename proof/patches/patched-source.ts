/** One line of a source file, and what stands in its place in a broken hub. */
export interface Edit {
  /** Below `src/`, such as `hub/write.ts`. */
  file: string;
  /** Part of one line, the same in the source and in what is built from it. */
  find: string;
  /** JavaScript; on one line, so that the places in stack traces stay right. */
  replace: string;
}

/**
 * The source with every edit made.
 * @throws Error when the text of an edit is not there exactly once: the edit has rotted
 */
export function withEdits(source: string, edits: readonly Edit[]): string {
  return edits.reduce((text, { file, find, replace }) => {
    const parts = text.split(find);
    if (parts.length !== 2) {
      throw new Error(`${file} has ${parts.length - 1} times instead of once: ${find}`);
    }
    return parts.join(replace);
  }, source);
}

/** A line of its own that says where the hub may be made to end. */
const MARKER = /^([ \t]*)\/\/ failpoint: ([a-z]+(?:-[a-z]+)*)[ \t]*$/gm;

/** The names of the failpoints in a source, in their order. */
export function failpointsIn(source: string): string[] {
  return [...source.matchAll(MARKER)].map((found) => found[2] ?? "");
}

/** Where a source calls when it passes a failpoint. */
export const FAILPOINT_CALL = "clawChatFailpoint";

/** The source with a call in place of each failpoint's marker. */
export function withFailpoints(source: string): string {
  return source.replace(MARKER, `$1globalThis.${FAILPOINT_CALL}("$2");`);
}
