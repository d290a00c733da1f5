import type { Database } from "better-sqlite3";
import { StorageError } from "../../hub/store.js";
import { translate } from "./engine-errors.js";
import { CannotCopy } from "./log-copier.js";

/** The log is copied into the database file when it has grown by this much. */
const COPY_BYTES = 4 * 1024 * 1024;
/** From here on it is also started over, where no reader needs it. */
const START_OVER_BYTES = 64 * 1024 * 1024;
const DEFAULT_MAX_LOG_BYTES = 1024 * 1024 * 1024;

/** Keeps the write-ahead log from growing without bound. */
export interface LogSize {
  /** Whether the log is to be copied into the database file. Cheap. */
  isDue(): boolean;
  /**
   * Copies it. What is written before this has settled is left for the next time.
   * @throws only a StorageError that is fatal
   */
  copy(): Promise<void>;
  /**
   * Copies it over this connection, the last thing before that is closed: SQLite would do it then,
   * and keep to itself what goes wrong.
   * @throws only a StorageError that is fatal
   */
  copyAtLast(): void;
  /** Throws a StorageError of the kind "full" where the log may not grow. */
  checkRoom(): void;
}

/**
 * SQLite would copy the log by itself, but ignores the errors it meets there, and one of them may
 * be a failed sync of the database file. So the store does it, between transactions.
 *
 * A reader of another process, a backup for example, keeps the log from being started over for as
 * long as its transaction lasts. Beyond the bound nothing is written until it is gone.
 * @param of.maxLogBytes the bound, default 1 GiB; a transaction that began below it may go beyond
 * @param of.copyPages copies what it can, elsewhere, and resolves with the log's pages; by default
 *   this connection does it
 */
export function limitLog(
  db: Database,
  of: { maxLogBytes?: number | undefined; copyPages?: (() => Promise<number>) | undefined } = {},
): LogSize {
  const { maxLogBytes = DEFAULT_MAX_LOG_BYTES, copyPages } = of;
  const pageBytes = Number(db.pragma("page_size", { simple: true }));
  const startOverBytes = Math.min(START_OVER_BYTES, maxLogBytes / 2);
  let bytes = 0;
  let copiedAtBytes = 0;

  const prepare = (kind: string) =>
    db.prepare<[], { log: number }>(`PRAGMA wal_checkpoint(${kind})`);
  /** NOOP only looks. */
  const checkpoints = {
    NOOP: prepare("NOOP"),
    PASSIVE: prepare("PASSIVE"),
    TRUNCATE: prepare("TRUNCATE"),
  };

  /** What a checkpoint says of the log, in bytes; it says -1 while another process makes one. */
  function bytesOf(pages: number): number {
    return pages < 0 ? bytes : pages * pageBytes;
  }

  /** The log's bytes after a checkpoint of this kind. */
  function checkpoint(kind: keyof typeof checkpoints): number {
    return bytesOf(checkpoints[kind].get()?.log ?? 0);
  }

  /** The log's bytes afterwards. A reader is not waited for: it may take an hour. */
  function startOver(): number {
    const waitMs = Number(db.pragma("busy_timeout", { simple: true }));
    db.pragma("busy_timeout = 0");
    try {
      return checkpoint("TRUNCATE");
    } finally {
      db.pragma(`busy_timeout = ${waitMs}`);
    }
  }

  /** The log's bytes afterwards. What only others fail at must not let the log grow. */
  async function copyWhatCanBe(): Promise<number> {
    try {
      if (copyPages !== undefined) return bytesOf(await copyPages());
    } catch (error) {
      passOver(error);
    }
    return checkpoint("PASSIVE");
  }

  /**
   * Unless it is fatal: what stands in the way of a copy over this connection stands in the way of
   * the next commit too, and is told there.
   */
  function passOver(error: unknown): void {
    if (error instanceof CannotCopy) return;
    const told = translate(error, "copy its log into the database file");
    if (!(told instanceof StorageError) || told.kind === "fatal") throw told;
  }

  function tryToStartOver(): void {
    try {
      bytes = startOver();
    } catch (error) {
      passOver(error);
    }
  }

  return {
    isDue() {
      bytes = checkpoint("NOOP");
      // The log was started over since.
      if (bytes < copiedAtBytes) copiedAtBytes = 0;
      return bytes - copiedAtBytes >= COPY_BYTES;
    },
    async copy() {
      // failpoint: before-checkpoint
      try {
        // Rarely: only a reader that stays lets the log grow so long. Started over by another
        // connection, it would make this one forget its pages.
        bytes = bytes < startOverBytes ? await copyWhatCanBe() : startOver();
      } catch (error) {
        passOver(error);
      }
      // failpoint: after-checkpoint
      copiedAtBytes = bytes;
    },
    copyAtLast: tryToStartOver,
    checkRoom() {
      if (bytes < maxLogBytes) return;
      tryToStartOver();
      if (bytes < maxLogBytes) return;
      throw new StorageError(
        `the write-ahead log has ${maxLogBytes} bytes and cannot be started over: another ` +
          "process has been reading the database since, a backup or a shell; it must end first",
        { kind: "full" },
      );
    },
  };
}
