import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** The hub's store in a process of its own, for a second SQLite in this one reads what it leaves. */
export interface Opener {
  /** Opens and closes a database. Resolves with the error as text, empty where there was none. */
  open(path: string): Promise<string>;
  end(): void;
}

/** Starts it. */
export function startOpener(): Opener {
  const child = fork(fileURLToPath(new URL("opener-process.ts", import.meta.url)));
  const gone = once(child, "exit").then(([code, signal]) => {
    throw new Error(`the process that opens databases ended: ${signal ?? code}`);
  });
  gone.catch(() => {});
  return {
    async open(path) {
      const answer = once(child, "message");
      child.send(path);
      const [error] = await Promise.race([answer, gone]);
      return String(error);
    },
    end: () => child.disconnect(),
  };
}
