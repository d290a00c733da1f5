import { once } from "node:events";
import { statSync } from "node:fs";
import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import Database from "better-sqlite3";

/** What the thread is to copy: the log of this file, and of no other that has its path by now. */
export interface CopyOrder {
  path: string;
  /** Of the file system's. */
  device: bigint;
  inode: bigint;
}

/** What the thread answers: the log's pages after a copy, or what SQLite could not do. */
export type CopyAnswer = { pages: number } | { code: string; message: string };

/** The thread has ended, or cannot begin. */
export class CannotCopy extends Error {}

/** Copies a database's log into its file in a thread of its own. */
export interface LogCopier {
  /**
   * Copies as much as can be, synced, and resolves with the pages of the log. Nothing may be written
   * meanwhile: what comes in later would have to be copied again.
   * @throws Database.SqliteError; CannotCopy where the thread ends instead
   */
  copyPages(): Promise<number>;
  /** Resolves when the thread and its connection are gone. */
  end(): Promise<void>;
}

/** This file's own extension: tests run the sources. */
const THREAD = new URL(`copy-log${extname(import.meta.url)}`, import.meta.url);

/**
 * The thread begins with the first copy, and does not keep the process from ending.
 * @param path of a database file that is open
 */
export function startLogCopier(path: string): LogCopier {
  const { dev: device, ino: inode } = statSync(path, { bigint: true });
  const workerData: CopyOrder = { path, device, inode };
  let worker: Worker | undefined;

  function begin(): Worker {
    const begun = new Worker(THREAD, { workerData, name: "copy-log" });
    begun.once("exit", () => {
      if (worker === begun) worker = undefined;
    });
    // Whoever waits for an answer is told. Without a listener it would end the process.
    begun.on("error", () => {});
    worker = begun;
    return begun;
  }

  /** The next message of the thread; rejects where it ends instead. */
  async function answerOf(thread: Worker): Promise<CopyAnswer> {
    const over = new AbortController();
    const { signal } = over;
    try {
      const ended = once(thread, "exit", { signal }).then(([code]) => {
        throw new Error(`the thread that copies the log ended with ${code}`);
      });
      const [answer] = await Promise.race([once(thread, "message", { signal }), ended]);
      return answer;
    } finally {
      over.abort();
    }
  }

  async function ask(): Promise<CopyAnswer> {
    const thread = worker ?? begin();
    thread.ref();
    try {
      thread.postMessage("copy");
      return await answerOf(thread);
    } finally {
      thread.unref();
    }
  }

  return {
    async copyPages() {
      const answer = await ask().catch((cause: unknown) => {
        throw new CannotCopy("the log cannot be copied by a thread", { cause });
      });
      if ("pages" in answer) return answer.pages;
      throw new Database.SqliteError(answer.message, answer.code);
    },
    async end() {
      await worker?.terminate();
    },
  };
}
