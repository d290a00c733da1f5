import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { CastMember } from "./cast.ts";
import { journalName } from "./check-folder.ts";
import type { LoadOrder, LoadWord } from "./load-words.ts";

/** The clients of a run, in processes of their own that outlive every hub. */
export interface Load {
  /** The journals, one a process; complete once `leave` has resolved. */
  readonly journals: string[];
  /** Rejects when one of the processes ends by itself. */
  readonly broken: Promise<never>;
  /**
   * Tells everybody that the hub serves.
   * @returns resolves when so many new receipts were counted since then
   */
  dial(): (receipts: number) => Promise<void>;
  /** No new conversations and messages from now on. */
  close(): void;
  /**
   * Waits until everything sent has its receipt and everything stored is acked.
   * @returns who is not done when nothing has moved for so long
   */
  settled(quietMs: number): Promise<string[]>;
  /** Everybody leaves, and the processes end. */
  leave(): Promise<void>;
  kill(): void;
}

const LOOK_AGAIN_MS = 50;

/** Services are registered when it resolves; the first `dial` begins the load. */
export async function startLoad(of: {
  cast: CastMember[];
  address: string;
  seed: number;
  folder: string;
  /** Hears every word of the processes. */
  onWord?: (word: LoadWord) => void;
}): Promise<Load> {
  const { cast, address, seed, folder, onWord } = of;
  const numbers = [...new Set(cast.map((member) => member.process))];
  const listeners = new Set(onWord && [onWord]);
  const children = numbers.map(() => {
    const child = fork(fileURLToPath(new URL("load-process.ts", import.meta.url)));
    child.on("message", (word: LoadWord) => {
      for (const listener of listeners) listener(word);
    });
    return child;
  });
  const kill = () => {
    for (const child of children) child.kill("SIGKILL");
  };
  process.once("exit", kill);
  const tell = (order: LoadOrder) => {
    for (const child of children) if (child.connected) child.send(order);
  };

  /** As many words of a kind as asked for. */
  function words<W extends LoadWord["word"]>(kind: W, count: number) {
    return new Promise<Extract<LoadWord, { word: W }>[]>((resolve) => {
      const found: Extract<LoadWord, { word: W }>[] = [];
      const listener = (word: LoadWord) => {
        if (word.word !== kind) return;
        found.push(word as Extract<LoadWord, { word: W }>);
        if (found.length < count) return;
        listeners.delete(listener);
        resolve(found);
      };
      listeners.add(listener);
    });
  }

  async function look() {
    const seen = words("seen", children.length);
    tell({ order: "look" });
    const all = await seen;
    return {
      unsettled: all.flatMap((one) => one.unsettled),
      moved: all.reduce((sum, one) => sum + one.delivered + one.receipts, 0),
    };
  }

  let dialled = 0;
  let counted = 0;
  let waiting: { receipts: number; dialled: number; resolve: () => void }[] = [];
  listeners.add((word) => {
    if (word.word !== "receipts" || word.dialled !== dialled) return;
    counted += word.count;
    waiting = waiting.filter((one) => one.dialled === dialled);
    for (const { receipts, resolve } of waiting) if (counted >= receipts) resolve();
  });

  const journals = numbers.map((number) => join(folder, journalName(number)));
  const ready = words("ready", children.length);
  for (const [index, child] of children.entries()) {
    const members = cast.filter((member) => member.process === numbers[index]);
    const journal = journals[index] ?? "";
    const order: LoadOrder = {
      order: "prepare",
      address,
      cast: members,
      seed: seed + index,
      journal,
    };
    child.send(order);
  }
  let leaving = false;
  const broken = new Promise<never>((_, reject) => {
    for (const child of children) {
      child.once("exit", (code, signal) => {
        if (!leaving) reject(new Error(`a process of the load ended with ${signal ?? code}`));
      });
    }
  });
  broken.catch(() => {});
  await Promise.race([ready, broken]);

  return {
    journals,
    broken,
    dial() {
      dialled += 1;
      counted = 0;
      tell({ order: "dial", dialled });
      return (receipts) =>
        new Promise((resolve) => {
          waiting.push({ receipts, dialled, resolve });
        });
    },
    close: () => tell({ order: "close" }),
    async settled(quietMs) {
      let quietSince = performance.now();
      let moved = -1;
      for (;;) {
        const seen = await look();
        // Done and still: what one agent had to send may have given another something to do.
        if (seen.unsettled.length === 0 && seen.moved === moved) return [];
        const nowMs = performance.now();
        if (seen.moved !== moved) quietSince = nowMs;
        else if (nowMs - quietSince > quietMs) return seen.unsettled;
        moved = seen.moved;
        await setTimeout(LOOK_AGAIN_MS);
      }
    },
    async leave() {
      const gone = Promise.all(children.map((child) => once(child, "exit")));
      leaving = true;
      tell({ order: "leave" });
      await gone;
      process.off("exit", kill);
    },
    kill,
  };
}
