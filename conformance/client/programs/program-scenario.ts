import { readdirSync, readFileSync } from "node:fs";
import { parse } from "yaml";
import type { JsonObject } from "../contract.ts";
import type { Ending } from "../scripted-hub.ts";
import type { Side } from "./talk.ts";

/** What the hub does to a frame of the judged side, once to each that is meant. */
export interface Trouble {
  /**
   * arrived: before it is stored; stored: before its receipt; answered: after all that it brings;
   * acked: when an ack has come, which counts as a frame here.
   */
  at: "arrived" | "stored" | "answered" | "acked";
  /** Only this kind. Default: every frame. */
  frame?: string;
  /** Only the n-th of them, from 1. Default: each. */
  nth?: number;
  /** Only the ack of that entry. */
  seq?: number;
  /** What happens; the connection is cut where nothing else is said. */
  refuse?: JsonObject;
  goAway?: JsonObject;
  /** The status behind goAway. */
  end?: Ending;
  /** The hub loses the positions that it had told. */
  forgetPositions?: boolean;
  /** So many connections are cut before one is taken again. */
  turnAway?: number;
}

/** A conversation with a whole program, and what comes between. */
export interface ProgramScenario {
  name: string;
  must: string;
  rules: string[];
  /** Which programs it is for. */
  of: Side[];
  troubles: Trouble[];
  chats: number;
  reject: boolean;
  /** Every delivery comes with things that no contract has yet. */
  strange: boolean;
  /** The status of every session, instead of a greeting. */
  refusedLogin: Ending | undefined;
  /** How the program ends: by itself and well, by itself and badly, or when it is told to. */
  ends: "well" | "badly";
}

const FOLDER = new URL("scenarios/", import.meta.url);
const KEYS = [
  "must",
  "rules",
  "of",
  "troubles",
  "chats",
  "reject",
  "strange",
  "refusedLogin",
  "ends",
];

/** The scenarios for a side, by name. @throws Error that names the file and what is wrong in it */
export function loadProgramScenarios(side: Side): ProgramScenario[] {
  return readdirSync(FOLDER)
    .filter((file) => file.endsWith(".yaml"))
    .sort()
    .map((file) => {
      const read = parse(readFileSync(new URL(file, FOLDER), "utf8"));
      const odd = Object.keys(read).find((key) => !KEYS.includes(key));
      if (odd !== undefined) throw new Error(`${file}: ${odd} is none of ${KEYS.join(", ")}`);
      if (typeof read.must !== "string") throw new Error(`${file}: must is missing`);
      return {
        ...{ name: file.replace(".yaml", ""), of: ["provider", "consumer"], troubles: [] },
        ...{ chats: 1, reject: false, strange: false, refusedLogin: undefined, ends: "well" },
        ...read,
      } as ProgramScenario;
    })
    .filter((scenario) => scenario.of.includes(side));
}
