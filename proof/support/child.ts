import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** A process of a proof that is given orders and reports. */
export interface Child<Order, Report> {
  /** Gives an order. */
  tell(order: Order): void;
  /** The first report not yet taken that fits; takes it. @throws Error when the process ends */
  next<R extends Report>(fits: (report: Report) => report is R): Promise<R>;
  next(fits?: (report: Report) => boolean): Promise<Report>;
  /** Gives an order and waits for the next report. */
  ask(order: Order): Promise<Report>;
  signal(name: NodeJS.Signals): void;
  end(): Promise<void>;
}

const running = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/**
 * Runs a TypeScript file as a process with a channel for orders and reports.
 * @param url the file, such as `new URL("reader.ts", import.meta.url)`
 * @param under a program that runs it, such as `["ip", "netns", "exec", "name"]`
 * @param nodeArgs flags of Node.js itself
 */
export function startChild<Order extends object, Report extends object>(
  url: URL,
  under: string[] = [],
  nodeArgs: string[] = [],
): Child<Order, Report> {
  const file = fileURLToPath(url);
  const words = [...under, process.execPath, ...nodeArgs, file];
  const child = spawn(words[0] ?? "", words.slice(1), {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  running.add(child);
  let over = false;
  let wake = Promise.withResolvers<void>();
  const reports: Report[] = [];
  child.on("message", (report) => {
    reports.push(report as Report);
    wake.resolve();
    wake = Promise.withResolvers();
  });
  const ended = once(child, "close").then(() => {
    over = true;
    running.delete(child);
    wake.resolve();
  });

  async function next(fits: (report: Report) => boolean = () => true): Promise<Report> {
    for (;;) {
      const place = reports.findIndex(fits);
      const [found] = place < 0 ? [] : reports.splice(place, 1);
      if (found !== undefined) return found;
      if (over) throw new Error(`${file} ended by itself`);
      await wake.promise;
    }
  }
  function tell(order: Order): void {
    child.send(order);
  }
  return {
    tell,
    next: next as Child<Order, Report>["next"],
    ask(order) {
      tell(order);
      return next();
    },
    signal: (name) => void child.kill(name),
    async end() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}
