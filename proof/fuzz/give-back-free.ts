import Database from "better-sqlite3";

/**
 * Lets glibc give the system what it keeps of freed memory (`malloc_trim`): by itself it does so only
 * with what lies at the end of its heap. Where there is no glibc, nothing is done.
 */
export function giveBackFree(): void {
  const db = new Database(":memory:");
  // Its second parameter is missing from the types.
  const load: (file: string, entryPoint: string) => unknown = db.loadExtension.bind(db);
  try {
    // Node.js calls no functions of libraries, but SQLite calls one that is said to begin an extension.
    // It hands over an address, which is read as how much to leave at the end of the heap: all of it.
    load("libc.so.6", "malloc_trim");
  } catch {
    // It answers 1 where it gave something back, which would be an extension's error.
  } finally {
    db.close();
  }
}
