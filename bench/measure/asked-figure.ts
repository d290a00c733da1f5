import { once } from "node:events";
import type { System } from "../systems/system.ts";

/** Asks a server for a figure that a module loaded into it writes to stderr on SIGUSR2, as `name=…`. */
export async function askedFigure({ pid, stderr }: System, name: string): Promise<number> {
  const figure = new RegExp(`${name}=(-?[\\d.]+)\n`);
  let text = "";
  process.kill(pid, "SIGUSR2");
  for (;;) {
    const [more] = await once(stderr, "data");
    text += String(more);
    const found = figure.exec(text)?.[1];
    if (found !== undefined) return Number(found);
  }
}
