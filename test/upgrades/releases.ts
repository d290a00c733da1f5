import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Shown } from "./everything.js";
import { type KeptContract, keptContract } from "./kept-contract.js";
import type { RecordedEvent, ReleaseFacts } from "./recording.js";

/** What a release has left behind. */
export interface KeptRelease extends ReleaseFacts {
  version: string;
  /** The database file, which is to be copied and never opened. */
  database: string;
  contract: KeptContract;
  /** What its own hub showed of the database. */
  expected: Shown[];
  /** What its client and its hub said to each other, going on from the database. */
  conversation: RecordedEvent[];
}

/** Every folder beside this file is a release. Throws where one is not complete. */
export function keptReleases(): KeptRelease[] {
  return readdirSync(import.meta.dirname, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => {
      const path = (file: string) => join(import.meta.dirname, name, file);
      const text = (file: string) => readFileSync(path(file), "utf8");
      return {
        ...(JSON.parse(text("release.json")) as ReleaseFacts),
        version: name,
        database: path("hub.sqlite"),
        contract: keptContract(readFileSync(path("contract.binpb"))),
        expected: JSON.parse(text("expected.json")) as Shown[],
        conversation: text("conversation.jsonl")
          .trimEnd()
          .split("\n")
          .map((line) => JSON.parse(line) as RecordedEvent),
      };
    });
}
