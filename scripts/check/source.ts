import { outcome, run, type Step } from "./step.ts";

/** The sources: they build, are formatted, linted and typed, and nothing in them is unused. */
export const sourceSteps: Step[] = [
  {
    name: "build",
    async run() {
      const ended = await run(process.execPath, ["scripts/build.ts"]);
      return outcome(ended, await filesOf("tsconfig.build.json"), "files");
    },
  },
  {
    name: "biome",
    async run() {
      const ended = await run("biome", ["check", "--error-on-warnings"]);
      return outcome(ended, counted(ended.output, /Checked (\d+) files?/), "files");
    },
  },
  ...["tsconfig.json", "tsconfig.scripts.json"].map((project) => ({
    name: `tsc -p ${project}`,
    async run() {
      return outcome(await run("tsc", ["-p", project]), await filesOf(project), "files");
    },
  })),
  {
    name: "knip",
    async run() {
      const reporters = ["--reporter", "symbols", "--reporter", "./scripts/check/knip-count.ts"];
      const strict = ["--no-progress", "--treat-config-hints-as-errors"];
      const ended = await run("knip", [...strict, ...reporters]);
      return outcome(ended, counted(ended.stdout, /knip looked at (\d+) files/), "files");
    },
  },
];

/** How many files of this repository a TypeScript project reads. */
async function filesOf(project: string): Promise<number> {
  const listed = await run("tsc", ["-p", project, "--listFilesOnly"]);
  return listed.stdout.split("\n").filter((file) => file && !/\/(node_modules|dist)\//.test(file))
    .length;
}

/** The number a pattern finds, or 0. */
function counted(text: string, pattern: RegExp): number {
  return Number(pattern.exec(text)?.[1] ?? 0);
}
