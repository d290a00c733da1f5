import { fileURLToPath } from "node:url";
import { editsOf } from "../mutants/mutants.ts";
import { withEdits } from "./patched-source.ts";

/** The part of a Vite plugin that this one has. */
interface SourcePlugin {
  name: string;
  enforce: "pre";
  transform(code: string, id: string): string | undefined;
}

const SOURCES = fileURLToPath(new URL("../../src/", import.meta.url));

/**
 * Puts a seeded bug into the sources that tests import.
 * @param name of `proof/mutants/mutants.ts`; nothing is changed where it is missing
 * @throws Error when there is no mutant of that name
 */
export function mutantPlugins(name: string | undefined): SourcePlugin[] {
  if (!name) return [];
  const edits = editsOf(name);
  return [
    {
      name: "mutant",
      enforce: "pre",
      transform(code, id) {
        const asked = edits.filter(({ file }) => id === SOURCES + file);
        return asked.length === 0 ? undefined : withEdits(code, asked);
      },
    },
  ];
}
