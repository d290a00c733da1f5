import { execFile } from "node:child_process";
import { globSync } from "node:fs";
import { rename, writeFile } from "node:fs/promises";
import { promisify } from "node:util";

const LIBRARIES = [
  "/usr/lib/*/faketime/libfaketimeMT.so.1",
  "/usr/lib*/faketime/libfaketimeMT.so.1",
];

/** The wall clock of processes that are started with `env`, and of no others. */
export interface FakeClock {
  readonly env: Record<string, string>;
  /** Lets their clock be so many seconds ahead of the real one, or behind it where negative. */
  set(offsetSeconds: number): Promise<void>;
}

/**
 * A clock that a file sets. The monotonic clock stays as it is, as it does when a system's clock
 * is set.
 * @returns undefined where libfaketime is not here, or does not work on Node.js
 */
export async function fakeClock(file: string): Promise<FakeClock | undefined> {
  const [library] = globSync([...LIBRARIES, "/usr/local/lib/faketime/libfaketimeMT.so.1"]);
  if (library === undefined) return undefined;
  const clock: FakeClock = {
    env: {
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_NO_CACHE: "1",
      // Its name until 0.9.8, and since.
      DONT_FAKE_MONOTONIC: "1",
      FAKETIME_DONT_FAKE_MONOTONIC: "1",
      NO_FAKE_STAT: "1",
    },
    async set(offsetSeconds) {
      // Renamed into its place: it is read at any moment.
      await writeFile(
        `${file}.new`,
        `${offsetSeconds < 0 ? "-" : "+"}${Math.abs(offsetSeconds)}\n`,
      );
      await rename(`${file}.new`, file);
    },
  };
  const HOUR = 3_600;
  await clock.set(HOUR);
  const run = promisify(execFile);
  const env = { ...process.env, ...clock.env };
  const { stdout } = await run(process.execPath, ["-p", "Date.now()"], { env });
  await clock.set(0);
  const aheadMs = Number(stdout) - Date.now();
  return Math.abs(aheadMs - HOUR * 1_000) < 60_000 ? clock : undefined;
}
