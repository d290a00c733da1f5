import type { Random } from "../support/random.ts";

/** What a case works with. */
export interface CaseContext {
  /** A folder of its own. */
  folder: string;
  random: Random;
  /** How much of everything: 1 is what fits into the ordinary run. */
  scale: number;
  /** Says on stderr what is going on. */
  progress(text: string): void;
  /** Notes something that must not be. */
  violated(text: string): void;
}

/** One kind of trouble. */
export interface StorageCase {
  name: string;
  /** A sentence: what it proves. */
  proves: string;
  /** The tool that this machine lacks for it, or nothing. */
  lacking?(): string | undefined;
  /** Runs it; returns figures for the last line. */
  run(context: CaseContext): Promise<Record<string, number>>;
}

/** Throws where something the proof itself needs is not so: a broken proof proves nothing. */
export function needed<T>(value: T | undefined | null, what: string): T {
  if (value === undefined || value === null) throw new Error(`the proof has no ${what}`);
  return value;
}

/** Rejects where something that must happen has not within a minute: it never will. */
export async function soon<T>(work: Promise<T>, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} did not come in 60 s`)), 60_000);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
