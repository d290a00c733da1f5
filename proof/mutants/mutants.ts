import { RULE_MUTANTS } from "../conformance/rule-mutants.ts";
import type { Edit } from "../patches/patched-source.ts";
import { ACCESS_MUTANTS } from "./access-mutants.ts";
import { CLIENT_MUTANTS } from "./client-mutants.ts";
import { DELIVERING_MUTANTS } from "./delivering-mutants.ts";
import { DRAIN_MUTANTS } from "./drain-mutants.ts";
import { HOSTILE_MUTANTS } from "./hostile-mutants.ts";
import { JUDGED_CLIENT_MUTANTS } from "./judged-client-mutants.ts";
import type { Mutant } from "./mutant.ts";
import { STORAGE_MUTANTS } from "./storage-mutants.ts";
import { STORING_MUTANTS } from "./storing-mutants.ts";

/** Every seeded bug. Each is caught by the validator it names, or that one proves too little. */
export const MUTANTS: readonly Mutant[] = [
  ...STORING_MUTANTS,
  ...ACCESS_MUTANTS,
  ...DELIVERING_MUTANTS,
  ...STORAGE_MUTANTS,
  ...DRAIN_MUTANTS,
  ...HOSTILE_MUTANTS,
  ...CLIENT_MUTANTS,
  ...JUDGED_CLIENT_MUTANTS,
];

/** Other builds of the hub, which are no bugs. */
const VARIANTS = [
  // The hub as it is, through the same machinery: what a validator is held against.
  { name: "none", edits: [] },
  {
    // A later hub that knows two schema versions more, for `proof/failpoints`.
    name: "two-versions-ahead",
    edits: [
      {
        file: "store/sqlite/migrations.ts",
        find: "= [MIGRATION_1, MIGRATION_2, MIGRATION_3];",
        replace:
          "= [MIGRATION_1, MIGRATION_2, MIGRATION_3," +
          ' "ALTER TABLE entry_blocks ADD COLUMN trial INTEGER;' +
          ' UPDATE entry_blocks SET trial = seq", "CREATE TABLE trial_copy (seq INTEGER, body BLOB);' +
          ' INSERT INTO trial_copy SELECT seq, body FROM entries"];',
      },
    ],
  },
] as const;

/** The name of the build without a change. */
export const NO_MUTANT = "none";

/**
 * The edits of a mutant, or of another variant of the hub.
 * @param names one name, or several with `+` between them, whose edits are all made
 * @throws Error when there is none of that name
 */
export function editsOf(names: string): readonly Edit[] {
  return names.split("+").flatMap((name) => {
    const found = [...VARIANTS, ...MUTANTS, ...RULE_MUTANTS].find((one) => one.name === name);
    if (found !== undefined) return found.edits;
    throw new Error(`there is no mutant ${name}; there are ${MUTANTS.map((one) => one.name)}`);
  });
}
