import type { Readable } from "node:stream";
import type { Target } from "../load/cast.ts";

/** A system under test that is running. */
export interface System {
  /** What the tables call it. */
  name: string;
  target: Target;
  pid: number;
  /** What it writes to stderr. */
  stderr: Readable;
  /** Ends it. */
  end(): Promise<void>;
}
