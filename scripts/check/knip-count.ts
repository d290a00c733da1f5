import type { ReporterOptions } from "knip";

/** A reporter for knip that says how many files it has read, which its own reporters do not. */
export default function knipCount({ counters }: ReporterOptions): void {
  console.log(`knip looked at ${counters.processed} files`);
}
