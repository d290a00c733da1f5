import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { RULE_MUTANTS } from "../../proof/conformance/rule-mutants.ts";
import { FAILPOINTS } from "../../proof/failpoints/failpoints.ts";
import { editsOf, MUTANTS } from "../../proof/mutants/mutants.ts";
import { VALIDATORS } from "../../proof/mutants/validators.ts";
import { countPasses } from "../../proof/patches/failpoint.ts";
import { failpointsIn, withEdits, withFailpoints } from "../../proof/patches/patched-source.ts";
import { PROOFS } from "../../proof/prove/proofs.ts";
import { startHubProcess } from "../../proof/support/hub-process.ts";
import { read, root, sourceFiles } from "../repository/sources.js";

const built = (file: string) => read(`dist/src/${file.replace(/\.ts$/, ".js")}`);

const names = [...[...MUTANTS, ...RULE_MUTANTS].map(({ name }) => name), "two-versions-ahead"];

test.each(names)("%s changes each of its lines, once", (name) => {
  const edits = editsOf(name);
  expect(edits.length).toBeGreaterThan(0);
  for (const { file } of edits) {
    const asked = edits.filter((edit) => edit.file === file);
    for (const source of [read(`src/${file}`), built(file)]) {
      expect(withEdits(source, asked)).not.toBe(source);
    }
  }
});

test("names of mutants and failpoints are given once", () => {
  const given = [...names, ...FAILPOINTS.map(({ name }) => name)];
  expect(new Set(given).size).toBe(given.length);
  expect(MUTANTS.length).toBeGreaterThanOrEqual(15);
});

test("every proof has a mutant that it must catch", () => {
  const ofMutants = ["mutants", "conformance"];
  const proofs = PROOFS.map(({ name }) => name).filter((name) => !ofMutants.includes(name));
  expect(Object.keys(VALIDATORS).toSorted()).toEqual(proofs.toSorted());
  expect(new Set(MUTANTS.map(({ caughtBy }) => caughtBy))).toEqual(new Set(proofs));
});

test("an edit whose line is gone, or is there twice, is an error", () => {
  const edit = { file: "a.ts", find: "x();", replace: "y();" };
  expect(withEdits("{ x(); }", [edit])).toBe("{ y(); }");
  expect(() => withEdits("{}", [edit])).toThrow("a.ts has 0 times instead of once: x();");
  expect(() => withEdits("x(); x();", [edit])).toThrow("a.ts has 2 times");
});

test("every failpoint of the list stands in its source once, what is built has it, and no other is there", () => {
  const named = (names: string[], file: string) => names.map((name) => `${file} ${name}`);
  const inSource = sourceFiles("src").flatMap((path) => {
    const file = path.slice("src/".length);
    return named(failpointsIn(read(path)), file);
  });
  const listed = FAILPOINTS.map(({ name, file }) => `${file} ${name}`);
  expect(inSource.toSorted()).toEqual(listed.toSorted());
  const files = [...new Set(FAILPOINTS.map(({ file }) => file))];
  expect(files.flatMap((file) => named(failpointsIn(built(file)), file)).toSorted()).toEqual(
    listed.toSorted(),
  );
});

test("a marker becomes a call in its place, and a comment that names it does not", () => {
  expect(withFailpoints("  // failpoint: before-commit\n// a failpoint: x")).toBe(
    '  globalThis.clawChatFailpoint("before-commit");\n// a failpoint: x',
  );
});

test.each(["", "before-commit", "before-commit@0", "@1", "a@1 "])(
  "FAILPOINT=%j is refused",
  (setting) => {
    expect(() => countPasses(setting)).toThrow("use name@n");
  },
);

function startPatched(env: Record<string, string>): ReturnType<typeof startHubProcess> {
  const folder = mkdtempSync(join(tmpdir(), "claw-chat-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const register = pathToFileURL(join(root, "proof/patches/register.ts"));
  return startHubProcess({
    db: join(folder, "chat.db"),
    nodeArgs: ["--import", String(register)],
    env,
  });
}

test("a hub ends itself, as by SIGKILL, at the pass of the failpoint that is named", async () => {
  await expect(startPatched({ FAILPOINT: "before-epoch@1" })).rejects.toThrow("ended (SIGKILL)");
  const hub = await startPatched({ FAILPOINT: "before-epoch@2" });
  await hub.end("SIGTERM");
});

test("a hub with a mutant runs, and one with an unknown mutant does not start", async () => {
  const hub = await startPatched({ MUTANT: "echo-to-the-sender" });
  await hub.end("SIGTERM");
  await expect(startPatched({ MUTANT: "nobody" })).rejects.toThrow("there is no mutant nobody");
});

test("what is built holds no switch: without the load hook the settings change nothing", () => {
  expect(existsSync(join(root, "dist/src/cli/main.js"))).toBe(true);
  for (const path of sourceFiles("src"))
    expect(read(path)).not.toMatch(/MUTANT|FAILPOINT|clawChatFailpoint/);
});
