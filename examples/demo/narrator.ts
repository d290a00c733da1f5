import { styleText } from "node:util";
import type { Fields } from "./journal.ts";

/** Tells the story: as text for people, or as JSON lines for programs. */
export interface Narrator {
  /** Begins a step. */
  headline(text: string): void;
  /** A frame that travelled. */
  frame(frame: { frame: string; from: string; to: string; fields: Fields }): void;
  /** A fact beside the frames. */
  fact(text: string): void;
  /** What the hub promises at this point. */
  promise(text: string): void;
  /** A promise that was found kept, in what the agents reported. */
  kept(text: string): void;
}

/** Prints each frame as one JSON object a line, and nothing else. */
export const jsonNarrator: Narrator = {
  headline() {},
  fact() {},
  promise() {},
  kept() {},
  frame({ frame, from, to, fields }) {
    console.log(JSON.stringify({ frame, from, to, ...fields }));
  },
};

const COLOURS = {
  "weather-provider": "cyan",
  "surf-planner": "magenta",
  "trip-planner": "yellow",
} as const;
const AGENT_WIDTH = 16;
const FRAME_WIDTH = 12;

/** Prints the conversation for people; colours where the terminal has them. */
export function textNarrator(): Narrator {
  let step = 0;
  return {
    headline(text) {
      step += 1;
      console.log(`\n${styleText("bold", `${step}  ${text}`)}`);
    },
    frame({ frame, from, to, fields }) {
      const seq = fields.seq === undefined ? "" : `#${fields.seq}`;
      const line = [
        `   ${agent(from)} ${styleText("dim", "→")} ${agent(to)}`,
        frame.padEnd(FRAME_WIDTH),
        seq.padStart(3),
        to === "hub" ? "what was said?" : wordsOf(fields),
      ];
      console.log(line.join("  ").trimEnd());
    },
    fact(text) {
      console.log(`   ${text}`);
    },
    promise(text) {
      console.log(styleText("dim", `   · ${text}`));
    },
    kept(text) {
      console.log(styleText("green", `   ✓ ${text}`));
    },
  };
}

function agent(id: string): string {
  const colour = Object.entries(COLOURS).find(([name]) => name === id)?.[1] ?? "white";
  return styleText(colour, id.padEnd(AGENT_WIDTH));
}

function wordsOf({ content, reason, code, messages }: Fields): string {
  if (Array.isArray(messages)) return `${messages.length} messages`;
  const words = [`“${content ?? reason ?? ""}”`];
  // REJECT_CODE_BUSY and END_CODE_COMPLETED, as people say it.
  if (typeof code === "string")
    words.push(styleText("dim", code.replace(/^[A-Z]+_CODE_/, "").toLowerCase()));
  return words.join(" ");
}
