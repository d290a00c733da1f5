import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { startChild } from "../proof/support/child.ts";
import type { GeneratorAnswer, Order } from "./load/generator.ts";
import type { Bench } from "./measure/bench.ts";

/** Starts a load generator and makes a folder, both gone when the process ends or `end` is called. */
export function openBench(
  flags: Omit<Bench, "folder" | "ask" | "say">,
): Bench & { end(): Promise<void> } {
  // Inside the checkout: where temporary files go is memory on many machines.
  const cache = join(import.meta.dirname, "../node_modules/.cache");
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, "bench-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));
  const generator = startChild<Order, GeneratorAnswer>(
    new URL("load/generator.ts", import.meta.url),
  );
  return {
    ...flags,
    folder,
    say: (sentence) => process.stderr.write(`${sentence}\n`),
    async ask(order) {
      const answer = await generator.ask(order);
      if ("failed" in answer) throw new Error(answer.failed);
      return answer as never;
    },
    end: () => generator.end(),
  };
}
