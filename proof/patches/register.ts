/**
 * Breaks the built package as it is loaded, so that what ships carries no switch for it:
 *
 *     MUTANT=echo-to-sender node --import <this file> dist/src/cli/main.js serve
 *     FAILPOINT=before-commit@7 node --import <this file> dist/src/cli/main.js serve
 *
 * MUTANT puts a seeded bug of `proof/mutants/mutants.ts` in. FAILPOINT kills the process, as
 * SIGKILL does, when it passes that place for the n-th time.
 */
import { registerHooks } from "node:module";
import { editsOf } from "../mutants/mutants.ts";
import { countPasses } from "./failpoint.ts";
import { FAILPOINT_CALL, withEdits, withFailpoints } from "./patched-source.ts";

const BUILT = new URL("../../dist/src/", import.meta.url).href;
const { MUTANT, FAILPOINT } = process.env;

const edits = MUTANT ? editsOf(MUTANT) : [];
if (FAILPOINT) Object.assign(globalThis, { [FAILPOINT_CALL]: countPasses(FAILPOINT) });

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    if (!url.startsWith(BUILT) || !loaded.source) return loaded;
    const file = url.slice(BUILT.length).replace(/\.js$/, ".ts");
    const text =
      typeof loaded.source === "string" ? loaded.source : new TextDecoder().decode(loaded.source);
    const mutated = withEdits(
      text,
      edits.filter((edit) => edit.file === file),
    );
    return { ...loaded, source: FAILPOINT ? withFailpoints(mutated) : mutated };
  },
});
