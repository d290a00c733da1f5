import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Outcome, outcome, root, run, type Step } from "./step.ts";

/** The contract: generated code is fresh, the proto is formatted, linted and compatible. */
export const contractSteps: Step[] = [
  { name: "generated code is fresh", run: () => inTempFolder(generatedIsFresh) },
  {
    name: "buf format",
    run: async () =>
      outcome(await run("buf", ["format", "--diff", "--exit-code"]), protos(), "protos"),
  },
  { name: "buf lint", run: async () => outcome(await run("buf", ["lint"]), protos(), "protos") },
  { name: "buf breaking", run: () => inTempFolder(contractIsCompatible) },
];

/** Generates once more elsewhere, and compares with what is committed, file by file, both ways. */
async function generatedIsFresh(folder: string): Promise<Outcome> {
  const generated = await run(process.execPath, ["scripts/generate.ts", folder]);
  if (!generated.ok) return outcome(generated, 0, "files");
  const fresh = filesBelow(join(folder, "gen"));
  const committed = filesBelow(join(root, "gen"));
  const stale = [...new Set([...fresh.keys(), ...committed.keys()])].filter((name) => {
    const [a, b] = [fresh.get(name), committed.get(name)];
    return a === undefined || b === undefined || !a.equals(b);
  });
  const output = `Run \`npm run generate\`; these differ:\n${stale.join("\n")}`;
  return outcome({ ok: stale.length === 0, output }, fresh.size, "files");
}

/**
 * Compares with the newest release before this commit, and where there is none
 * with the contract as it stood before this commit or where this branch left main.
 */
async function contractIsCompatible(folder: string): Promise<Outcome> {
  const base = await earlierContract();
  if (base === undefined) {
    const shallow = await git("rev-parse", "--is-shallow-repository");
    return {
      ok: shallow !== "true",
      looked: "nothing earlier to compare with: no commit before this one has the contract",
      output: "This clone is shallow, so the earlier contract is missing: fetch the whole history.",
    };
  }
  const archive = join(folder, "earlier.tar");
  const packed = await run("git", ["archive", "--output", archive, base, "proto", "buf.yaml"]);
  const unpacked = await run("tar", ["-xf", archive, "-C", folder]);
  if (!packed.ok || !unpacked.ok) {
    return { ok: false, looked: `nothing of ${base}`, output: packed.output + unpacked.output };
  }
  const compared = await run("buf", ["breaking", "--against", folder]);
  return outcome(compared, protos(), `protos, compared with ${base.slice(0, 12)}`);
}

/** The tag or commit to compare with, where there is one. */
async function earlierContract(): Promise<string | undefined> {
  const releases = ["tag", "--list", "v*", "--merged", "HEAD", "--no-contains", "HEAD"];
  const tags = await git(...releases, "--sort=-version:refname");
  const newest = tags?.split("\n")[0];
  if (newest) return newest;
  const head = await git("rev-parse", "HEAD");
  const forked =
    (await git("merge-base", "HEAD", "main")) ?? (await git("merge-base", "HEAD", "origin/main"));
  const start = forked !== undefined && forked !== head ? forked : "HEAD~1";
  return (await git("rev-list", "--max-count=1", start, "--", "proto")) || undefined;
}

/** What a git command prints, or nothing where it fails. */
async function git(...args: string[]): Promise<string | undefined> {
  const ended = await run("git", args);
  return ended.ok ? ended.stdout.trim() : undefined;
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
