import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Target } from "../load/cast.ts";
import type { System } from "./system.ts";

/**
 * Starts a server of this folder as a process and resolves when it listens.
 * @param file its file, such as `baseline-relay.ts`
 * @throws Error when it ends before that
 */
export async function startRelay(of: {
  name: string;
  file: string;
  args?: string[];
  /** Flags of Node.js itself. */
  nodeArgs?: string[];
  target: Omit<Target, "address">;
}): Promise<System> {
  const file = fileURLToPath(new URL(of.file, import.meta.url));
  const child = spawn(process.execPath, [...(of.nodeArgs ?? []), file, ...(of.args ?? [])], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  child.stderr.pipe(process.stderr);
  const kill = () => child.kill("SIGKILL");
  process.once("exit", kill);
  const ended = once(child, "close").then(() => process.off("exit", kill));
  const line = await Promise.race([
    once(createInterface(child.stdout), "line").then(([first]) => String(first)),
    ended.then(() => {
      throw new Error(`${of.file} ended before it listened`);
    }),
  ]);
  return {
    name: of.name,
    target: { ...of.target, address: String(JSON.parse(line).address) },
    pid: child.pid ?? 0,
    stderr: child.stderr,
    async end() {
      child.kill();
      await ended;
    },
  };
}
