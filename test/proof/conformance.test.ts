import { afterAll, expect, test } from "vitest";
import { FOLDER, readFolder } from "../../conformance/hub/read-transcripts.ts";
import { KNOWN_MUTANTS } from "../../proof/conformance/known-mutants.ts";
import { RULE_MUTANTS } from "../../proof/conformance/rule-mutants.ts";
import { runMutant } from "../../proof/conformance/run.ts";
import { editsOf, NO_MUTANT } from "../../proof/mutants/mutants.ts";
import { endCli } from "../support/cli.js";

const transcripts = readFolder(FOLDER);

afterAll(endCli);

test("every transcript has a mutant against which it must fail", () => {
  for (const name of Object.keys(KNOWN_MUTANTS)) expect(editsOf(name).length).toBeGreaterThan(0);
  const failing = [
    ...Object.values(KNOWN_MUTANTS).flat(),
    ...RULE_MUTANTS.flatMap(({ fails }) => fails),
  ];
  expect([...new Set(failing)].sort()).toEqual(transcripts.map(({ id }) => id).sort());
});

test("a transcript that fails against a mutant has caught it, and one that passes has not", async () => {
  const some = transcripts.filter(({ id }) => id === "I1-the-hub-names-the-speaker");
  const [against, without] = await Promise.all([
    runMutant("sender-believed", some),
    runMutant(NO_MUTANT, some),
  ]);
  expect(against).toMatchObject({ caught: [some[0]?.id], problems: [] });
  expect(without).toMatchObject({ caught: [], problems: [`${some[0]?.id} passed`] });
});
