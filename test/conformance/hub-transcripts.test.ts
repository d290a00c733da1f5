import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { NEEDS } from "../../conformance/hub/needs.ts";
import { FOLDER, readFolder, readText } from "../../conformance/hub/read-transcripts.ts";
import { BEYOND_REACH, REFUSALS, RULES } from "../../conformance/hub/rules.ts";
import { REFUSALS as TABLE } from "../../src/protocol/refusals.js";
import { endCli, startScript } from "../support/cli.js";

const MAIN = fileURLToPath(new URL("../../conformance/hub/main.ts", import.meta.url));
const transcripts = readFolder(FOLDER);

afterAll(endCli);

test("our hub passes every transcript", async ({ skip }) => {
  const { code, stdout, json } = await startScript(MAIN, ["--json"]).result;
  const results = json();
  const figures = results.at(-1);
  expect(results.filter(({ result }) => result === "failed")).toEqual([]);
  expect(code, stdout).toBe(0);
  expect(figures).toMatchObject({ transcripts: transcripts.length, failed: 0 });
  if (process.env.CI === "true") expect(figures).toMatchObject({ not_run: 0 });
  else skip(figures?.not_run !== 0, `not run here: ${figures?.names}`);
});

test("docs/conformance.md names every need, and its transcript can be read", () => {
  const text = readFileSync(new URL("../../docs/conformance.md", import.meta.url), "utf8");
  const [example] = [...text.matchAll(/^```yaml\n([\s\S]*?)^```/gm)].map(([, yaml]) => yaml ?? "");
  expect(readText(example ?? "", "docs")).toHaveLength(1);
  const rows = [...text.matchAll(/^\| `([a-z-]+)` \| [^|]+ \| [^|]+ \|$/gm)].map(
    ([, name]) => name,
  );
  expect(rows.toSorted()).toEqual(Object.keys(NEEDS).sort());
});

test("every rule and every refusal that can be provoked has a transcript", () => {
  const shown = (key: "rules" | "refusals") => new Set(transcripts.flatMap((one) => one[key]));
  expect([...shown("rules")].sort()).toEqual(RULES.toSorted());
  expect([...shown("refusals"), ...Object.keys(BEYOND_REACH)].sort()).toEqual(
    [...REFUSALS.keys()].sort(),
  );
  expect([...REFUSALS.keys()].sort()).toEqual(Object.keys(TABLE).sort());
});
