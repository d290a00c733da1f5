import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Outcome, outcome, root, run, type Step } from "./step.ts";

const folder = mkdtempSync(join(tmpdir(), "claw-chat-pack-"));
process.once("exit", () => rmSync(folder, { recursive: true, force: true }));

/** The entry point that is no module: the contract, for tools that read descriptor sets. */
const DESCRIPTORS = "descriptor.binpb";

/** What a user installs: the tarball as npm would publish it, from the dist/ that is there. */
export const packageSteps: Step[] = [
  {
    name: "npm pack",
    async run() {
      const packed = await run("npm", ["pack", "--ignore-scripts", "--pack-destination", folder]);
      if (!packed.ok) return outcome(packed, 0, "files");
      const listed = await run("tar", ["-tzf", tarball()]);
      return outcome(listed, listed.stdout.split("\n").filter(Boolean).length, "files");
    },
  },
  {
    name: "publint",
    run: async () =>
      outcome(
        await run("publint", ["run", "--strict", tarball()]),
        entryPoints().length,
        "entry points",
      ),
  },
  {
    name: "attw",
    async run() {
      const options = ["--profile", "esm-only", "--format", "ascii", "--no-emoji"];
      // The list of what to leave out takes all that follows it.
      const ended = await run("attw", [
        tarball(),
        ...options,
        "--exclude-entrypoints",
        DESCRIPTORS,
      ]);
      // A tarball without any types passes with attw, so count what it has resolved.
      const resolved = ended.stdout.match(/^bundler: OK/gm)?.length ?? 0;
      const typed = entryPoints().filter((name) => name !== `./${DESCRIPTORS}`).length;
      const ok = ended.ok && resolved === typed;
      return outcome({ ok, output: ended.output }, resolved, `of ${typed} entry points`);
    },
  },
  { name: "the tarball runs", run: tarballRuns },
];

/**
 * Loads every entry point out of the unpacked tarball, the contract with all it imports among them, and starts
 * and stops a hub there.
 */
async function tarballRuns(): Promise<Outcome> {
  const unpacked = await run("tar", ["-xzf", tarball(), "-C", folder]);
  if (!unpacked.ok) return outcome(unpacked, 0, "entry points");
  const home = join(folder, "package");
  symlinkSync(join(root, "node_modules"), join(home, "node_modules"));
  const data = ["./package.json", `./${DESCRIPTORS}`];
  const names = entryPoints().filter((name) => !data.includes(name));
  const program = `
    for (const name of ${JSON.stringify(names)}) await import("claw-chat-hub" + name.slice(1));
    const { startHub } = await import("claw-chat-hub/server");
    const { openSqliteStore } = await import("claw-chat-hub/store/sqlite");
    const store = await openSqliteStore({ path: ":memory:" });
    const hub = await startHub({ store, listen: "127.0.0.1:0" });
    await hub.stop();
    await store.close();
    const { createFileRegistry, fromBinary } = await import("@bufbuild/protobuf");
    const { FileDescriptorSetSchema } = await import("@bufbuild/protobuf/wkt");
    const { readFileSync } = await import("node:fs");
    const bytes = readFileSync(new URL(import.meta.resolve("claw-chat-hub/${DESCRIPTORS}")));
    const contract = createFileRegistry(fromBinary(FileDescriptorSetSchema, bytes));
    if (contract.getService("claw.chat.v1.ChatHub") === undefined) throw new Error("${DESCRIPTORS}");`;
  const ended = await run(process.execPath, ["--input-type=module", "--eval", program], home);
  return outcome(ended, names.length, "modules and the contract, and a hub started");
}

/** The ways into the package that its manifest names. */
function entryPoints(): string[] {
  const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  return Object.keys(manifest.exports);
}

/** Where npm put the tarball; a path that does not exist where it made none. */
function tarball(): string {
  return join(
    folder,
    readdirSync(folder).find((name) => name.endsWith(".tgz")) ?? "no-tarball.tgz",
  );
}
