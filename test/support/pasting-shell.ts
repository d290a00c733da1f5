import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** The repository's folder. */
const root = fileURLToPath(new URL("../../", import.meta.url));

/** How a pasted line ended. */
export interface Pasted {
  code: number;
  /** What was said since the line before ended, by this line and by what still runs, on both streams. */
  output: string;
}

/** A bash into which lines are pasted one after the other, as into a terminal. */
export interface PastingShell {
  /** Runs a line; resolves when the shell would take the next. */
  paste(line: string): Promise<Pasted>;
  /** Resolves with what is found in its output as soon as there is something; rejects where it ends before. */
  until<T>(find: (output: string) => T | null): Promise<T>;
  /** Everything it has said. */
  output(): string;
  /** Ends it with everything that still runs in it. */
  end(): Promise<void>;
}

/** Starts one in the repository's folder, where claw-chat, npx and grpcurl are what is tested. */
export function startPastingShell(env: NodeJS.ProcessEnv = {}): PastingShell {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith("CLAW_"));
  const child = spawn("bash", [], {
    cwd: root,
    env: { ...Object.fromEntries(inherited), ...env },
    stdio: "pipe",
    detached: true,
  });
  const closed = once(child, "close");
  let output = "";
  let ended = false;
  const watchers = new Set<() => void>();
  const wake = () => {
    for (const look of [...watchers]) look();
  };
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      wake();
    });
  }
  closed.then(() => {
    ended = true;
    wake();
  });
  const until = <T>(find: (output: string) => T | null) =>
    new Promise<T>((resolve, reject) => {
      const look = () => {
        const found = find(output);
        if (found === null && !ended) return;
        watchers.delete(look);
        if (found !== null) resolve(found);
        else reject(new Error(`the shell ended before it said what was waited for: ${output}`));
      };
      watchers.add(look);
      look();
    });
  let count = 0;
  let readUntil = 0;
  return {
    async paste(line) {
      count += 1;
      child.stdin.write(`${line}\nprintf '<line ${count} ended: %d>\\n' $?\n`);
      const end = new RegExp(`<line ${count} ended: (\\d+)>\n`);
      const mark = await until((text) => end.exec(text));
      const seen = output.slice(readUntil, mark.index);
      readUntil = mark.index + mark[0].length;
      return { code: Number(mark[1]), output: seen };
    },
    until,
    output: () => output,
    async end() {
      // The whole group, whatever a failed test has left in it.
      if (!ended && child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
      await closed;
    },
  };
}

/** A line as the documents have it, with this checkout's own commands in place of npx. */
export function ownCommands(line: string): string {
  return line
    .replaceAll("npx claw-chat", `"${process.execPath}" dist/src/cli/main.js`)
    .replaceAll("npx buf", "node_modules/.bin/buf");
}
