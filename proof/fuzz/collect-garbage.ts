/** This kind of collection also gives back the pages that V8 keeps for what may come next. */
const collect = globalThis.gc as ((options: { type: string; flavor: string }) => void) | undefined;
const ALL = { type: "major", flavor: "last-resort" };

/** V8 and the threads that free buffers give memory back some time after it is free. */
const PAUSE_MS = 500;

/** Collects the garbage of this process, which runs with `--expose-gc`; resolves when it is gone. */
export async function collectGarbage(): Promise<void> {
  collect?.(ALL);
  await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  collect?.(ALL);
}
