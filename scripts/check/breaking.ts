import { join } from "node:path";
import { type Outcome, outcome, run } from "./step.ts";

/**
 * Compares a repository's contract with the newest release before its commit, and where there is none
 * with the contract as it stood before this commit or where this branch left main.
 * @param folder an empty one to put the earlier contract in
 */
export async function compatibility(repository: string, folder: string): Promise<Outcome> {
  const git = gitIn(repository);
  const base = await earlierContract(git);
  if (base === undefined) {
    const shallow = await git("rev-parse", "--is-shallow-repository");
    return {
      ok: shallow !== "true",
      looked: "nothing earlier to compare with: no commit before this one has the contract",
      output: "This clone is shallow, so the earlier contract is missing: fetch the whole history.",
    };
  }
  const archive = join(folder, "earlier.tar");
  const packed = await run(
    "git",
    ["archive", "--output", archive, base, "proto", "buf.yaml"],
    repository,
  );
  const unpacked = await run("tar", ["-xf", archive, "-C", folder]);
  if (!packed.ok || !unpacked.ok) {
    return { ok: false, looked: `nothing of ${base}`, output: packed.output + unpacked.output };
  }
  const compared = await run("buf", ["breaking", "--against", folder], repository);
  const listed = (await git("ls-files", "proto")) ?? "";
  const protos = listed.split("\n").filter((name) => name.endsWith(".proto")).length;
  return outcome(compared, protos, `protos, compared with ${base.slice(0, 12)}`);
}

/** The tag or commit to compare with, where there is one. */
async function earlierContract(git: Git): Promise<string | undefined> {
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

type Git = (...args: string[]) => Promise<string | undefined>;

/** What git commands print in a repository, or nothing where they fail. */
function gitIn(repository: string): Git {
  return async (...args) => {
    const ended = await run("git", args, repository);
    return ended.ok ? ended.stdout.trim() : undefined;
  };
}
