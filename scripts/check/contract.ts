import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compatibility } from "./breaking.ts";
import { type Outcome, outcome, root, run, type Step } from "./step.ts";

/** What is made from the proto beside gen/. */
const REFERENCE = "docs/reference.md";

/** The contract: generated code is fresh, the proto is formatted, linted and compatible. */
export const contractSteps: Step[] = [
  { name: "generated code is fresh", run: () => inTempFolder(generatedIsFresh) },
  {
    name: "buf format",
    run: async () =>
      outcome(await run("buf", ["format", "--diff", "--exit-code"]), protos(), "protos"),
  },
  { name: "buf lint", run: async () => outcome(await run("buf", ["lint"]), protos(), "protos") },
  { name: "buf breaking", run: () => inTempFolder((folder) => compatibility(root, folder)) },
];

/** Generates once more elsewhere, and compares with what is committed, file by file, both ways. */
async function generatedIsFresh(folder: string): Promise<Outcome> {
  const generated = await run(process.execPath, ["scripts/generate.ts", folder]);
  if (!generated.ok) return outcome(generated, 0, "files");
  const fresh = filesBelow(folder);
  const committed = new Map([
    ...[...filesBelow(join(root, "gen"))].map(
      ([name, bytes]) => [join("gen", name), bytes] as const,
    ),
    [REFERENCE, readFileSync(join(root, REFERENCE))] as const,
  ]);
  const stale = [...new Set([...fresh.keys(), ...committed.keys()])].filter((name) => {
    const [a, b] = [fresh.get(name), committed.get(name)];
    return a === undefined || b === undefined || !a.equals(b);
  });
  const output = `Run \`npm run generate\`; these differ:\n${stale.join("\n")}`;
  return outcome({ ok: stale.length === 0, output }, fresh.size, "files");
}

/** How many protos the contract has. */
function protos(): number {
  return [...filesBelow(join(root, "proto")).keys()].filter((name) => name.endsWith(".proto"))
    .length;
}

/** Every file below a folder: its path from there, and its bytes. */
function filesBelow(folder: string): Map<string, Buffer> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  return new Map(files.map((file) => [file.slice(folder.length + 1), readFileSync(file)]));
}

async function inTempFolder(work: (folder: string) => Promise<Outcome>): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), "claw-chat-check-"));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
