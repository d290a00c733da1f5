import { FLOOD_TESTS } from "../mutants/validators.ts";

/** One proof: a program that ends with a line of figures, and the promises it is for. */
export interface Proof {
  name: string;
  /** Ids of the promises in docs/guarantees.md. */
  promises: string[];
  /** What to run; `node` and `vitest` are this repository's. */
  command: string[];
  /** The same for the long figures. Default: the command. */
  long?: string[];
  /** Figures of its other lines that are told as well, behind the last line. */
  also?: string[];
  env?: Record<string, string>;
  longEnv?: Record<string, string>;
}

const program = (name: string, ...args: string[]) => ["node", `proof/${name}/main.ts`, ...args];

/** In the order in which they run: what says most comes first. */
export const PROOFS: readonly Proof[] = [
  {
    name: "crash",
    promises: ["G1", "G2", "G3", "G4", "G12"],
    command: program("crash", "--kills", "100"),
    long: program("crash", "--kills", "1000"),
    also: ["serving_again_median_ms", "serving_again_max_ms"],
  },
  {
    name: "failpoints",
    promises: ["G1", "G3", "G12"],
    command: program("failpoints"),
    long: program("failpoints", "--rounds", "5"),
  },
  {
    name: "syscalls",
    promises: ["G1"],
    command: program("syscalls"),
    long: program("syscalls", "--messages", "10000"),
  },
  {
    name: "power-loss",
    promises: ["G1", "G3"],
    command: program("power-loss"),
    long: program("power-loss", "--all"),
  },
  {
    name: "cuts",
    promises: ["G5", "G2", "G4"],
    command: program("cuts", "--every", "8"),
    long: program("cuts", "--all"),
  },
  {
    name: "model",
    promises: ["G2", "G3", "G4", "G5", "G10"],
    command: ["vitest", "run", "test/model"],
    env: { MODEL_RUNS: "10000" },
    longEnv: { MODEL_RUNS: "100000" },
  },
  { name: "storage", promises: ["G6", "G12", "G13"], command: program("storage") },
  {
    name: "rolling",
    promises: ["G11"],
    command: program("rolling"),
    long: program("rolling", "--restarts", "100"),
  },
  { name: "stalled", promises: ["G9"], command: program("stalled") },
  {
    name: "judge-client",
    promises: ["G2", "G4", "G10"],
    command: ["node", "conformance/client/main.ts"],
  },
  { name: "half-open", promises: ["G10"], command: program("half-open") },
  {
    name: "fuzz",
    promises: ["G14"],
    command: program("fuzz", "--seconds", "20"),
    long: program("fuzz", "--seconds", "600"),
  },
  { name: "floods", promises: ["G14"], command: ["vitest", "run", ...FLOOD_TESTS] },
  { name: "matrix", promises: ["G7", "G8"], command: ["vitest", "run", "test/security"] },
  { name: "clock", promises: ["G15"], command: program("clock") },
  { name: "conformance", promises: ["all"], command: program("conformance") },
  {
    name: "mutants",
    promises: ["all"],
    // Those of the others take minutes each.
    command: program(
      "mutants",
      ...["--by", "model", "crash", "syscalls", "cuts"],
      ...["failpoints", "power-loss", "rolling", "matrix", "floods", "judge-client"],
    ),
    long: program("mutants"),
  },
];
