import type { IncomingEntry } from "../client/incoming.js";
import { entryFields, entryLine } from "./entry-line.js";
import { print, printJson } from "./output.js";

/** Prints entries until there were enough. */
export interface EntryPrinter {
  /**
   * Prints an entry and resolves once that is done. Throws after the last one, and
   * where it cannot print: what was not printed must not count as handled.
   */
  show(entry: IncomingEntry): Promise<void>;
  /** What to call when the last entry is about to be printed, or one cannot be. */
  onLast(stopListening: () => void): void;
  /** Resolves when the last entry is printed; rejects when one cannot be. */
  finished: Promise<void>;
}

/** @param most the count after which it is finished */
export function createEntryPrinter(json: boolean, most: number): EntryPrinter {
  let begun = 0;
  let printed = 0;
  let broken = false;
  let last = () => {};
  const { promise: finished, resolve: finish, reject: fail } = Promise.withResolvers<void>();
  return {
    finished,
    onLast(stopListening) {
      last = stopListening;
    },
    async show(entry) {
      begun += 1;
      if (begun > most || broken) throw new Error("nothing is printed any more");
      if (begun === most) last();
      try {
        await (json ? printJson(entryFields(entry)) : print(entryLine(entry)));
      } catch (error) {
        broken = true;
        last();
        fail(error);
        throw error;
      }
      printed += 1;
      if (printed === most) finish();
    },
  };
}
