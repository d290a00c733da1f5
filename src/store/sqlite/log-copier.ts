import { once } from "node:events";
import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import Database from "better-sqlite3";
import { identityOf } from "./file-identity.js";

/** What the thread is to copy: the log of this file, and no other that has its path by now. */
export interface CopyOrder {
  path: string;
  /** Which files have the path, and that of its log; see identityOf. */
  identity: string;
}

/** What the thread answers: the log's pages after a copy, or what SQLite could not do. */
export type CopyAnswer = { pages: number } | { code: string; message: string };

/** The thread has ended, or cannot begin. */
export class CannotCopy extends Error {}

/** Copies a database's log into its file in a thread of its own. */
export interface LogCopier {
  /**
   * Copies as much as can be, synced, and resolves with the pages of the log. What is written
   * meanwhile is left for the next time.
   * @throws Database.SqliteError; CannotCopy where the thread cannot begin, or ends instead
   */
  copyPages(): Promise<number>;
  /** Resolves when the thread and its connection are gone. */
  end(): Promise<void>;
}

/** This file's own extension: tests run the sources. */
const THREAD = new URL(`copy-log${extname(import.meta.url)}`, import.meta.url);

/** Threads that fail in a row; no further one is begun then. */
const MAX_FAILURES = 3;

/**
 * The thread begins with the first copy, and does not keep the process from ending.
 * @param path of a database file that is open, and has its log beside it
 */
export function startLogCopier(path: string): LogCopier {
  const workerData: CopyOrder = { path, identity: identityOf(path) };
  let worker: Worker | undefined;
  let failures = 0;

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
    } catch (error) {
      // It is about to end; its exit comes later.
      if (worker === thread) worker = undefined;
      throw error;
    } finally {
      thread.unref();
    }
  }

  return {
    async copyPages() {
      if (failures === MAX_FAILURES) throw new CannotCopy("threads have failed too often");
      const answer = await ask().catch((cause: unknown) => {
        failures += 1;
        throw new CannotCopy("the log cannot be copied by a thread", { cause });
      });
      failures = 0;
      if ("pages" in answer) return answer.pages;
      throw new Database.SqliteError(answer.message, answer.code);
    },
    async end() {
      await worker?.terminate();
    },
  };
}
