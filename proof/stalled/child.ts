import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** A process of this proof that is given orders and reports. */
export interface Child<Order, Report> {
  readonly pid: number;
  /** Gives an order and waits for the report that follows. @throws Error when the process ends */
  ask(order: Order): Promise<Report>;
  /** Gives an order that nothing answers. */
  tell(order: Order): void;
  signal(name: NodeJS.Signals): void;
  end(): Promise<void>;
}

const running = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/** Starts a file of this folder as a process. */
export function startChild<Order extends object, Report>(file: string): Child<Order, Report> {
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), { stdio: "inherit" });
  running.add(child);
  const ended = once(child, "close").then(() => running.delete(child));
  return {
    pid: child.pid ?? 0,
    async ask(order) {
      const answer = once(child, "message").then(([report]) => report as Report);
      child.send(order);
      return Promise.race([
        answer,
        ended.then(() => {
          throw new Error(`${file} ended by itself`);
        }),
      ]);
    },
    tell: (order) => void child.send(order),
    signal: (name) => void child.kill(name),
    async end() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}
