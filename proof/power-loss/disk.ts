import type { TraceEvent } from "../syscalls/trace-events.ts";

/** What was done to a file and no fsync of it has covered yet. */
export type Change = Extract<TraceEvent, { kind: "write" | "truncate" }>;
/** What was done to the folder and no fsync of it has covered yet. */
export type NameChange = Extract<TraceEvent, { kind: "create" | "remove" }>;

/** A disk between two moments of the trace. */
export interface Disk {
  /** The next thing that happened. */
  apply(event: TraceEvent): void;
  /** What is not synced, in the order in which it was done. */
  pending(): (Change | NameChange)[];
  /**
   * The folder as it is found when the power comes back: what an fsync has covered, and of the rest
   * what has reached the disk all the same.
   * @returns each name's bytes
   */
  afterPowerLoss(survived: readonly (Change | NameChange)[]): Map<string, Uint8Array>;
}

interface File {
  synced: Uint8Array;
  pending: Change[];
}

/**
 * An empty folder on a disk that keeps a promise only where an fsync asked for it: of a file its
 * bytes and its length, of the folder which names there are. Nothing is in any order without one.
 */
export function emptyDisk(): Disk {
  const files = new Map<number, File>();
  const syncedNames = new Map<string, number>();
  let pendingNames: NameChange[] = [];

  const fileOf = (id: number): File => {
    const file = files.get(id) ?? { synced: new Uint8Array(), pending: [] };
    files.set(id, file);
    return file;
  };

  return {
    apply(event) {
      switch (event.kind) {
        case "create":
        case "remove":
          pendingNames.push(event);
          break;
        case "write":
        case "truncate":
          fileOf(event.file).pending.push(event);
          break;
        case "sync": {
          const file = fileOf(event.file);
          const isCovered = ({ at }: Change) => at < event.begunAt;
          file.synced = changed(file.synced, file.pending.filter(isCovered));
          file.pending = file.pending.filter((change) => !isCovered(change));
          break;
        }
        case "sync-folder": {
          const isCovered = ({ at }: NameChange) => at < event.begunAt;
          rename(syncedNames, pendingNames.filter(isCovered));
          pendingNames = pendingNames.filter((change) => !isCovered(change));
          break;
        }
        case "send":
        case "end":
          // What a process wrote outlives it, though not the power.
          break;
        default:
          event satisfies never;
      }
    },
    pending() {
      const changes = [...files.values()].flatMap((file) => file.pending);
      return [...changes, ...pendingNames].sort((one, other) => one.at - other.at);
    },
    afterPowerLoss(survived) {
      const names = new Map(syncedNames);
      rename(names, survived.filter(isNameChange));
      const changes = survived.filter((change) => !isNameChange(change));
      const found = Array.from(names, ([name, id]): [string, Uint8Array] => {
        return [
          name,
          changed(
            fileOf(id).synced,
            changes.filter(({ file }) => file === id),
          ),
        ];
      });
      return new Map(found);
    },
  };
}

function isNameChange(change: Change | NameChange): change is NameChange {
  return change.kind === "create" || change.kind === "remove";
}

function rename(names: Map<string, number>, changes: readonly NameChange[]): void {
  for (const change of changes) {
    if (change.kind === "create") names.set(change.name, change.file);
    else names.delete(change.name);
  }
}

/** The bytes after the changes; what was never written reads as 0. The bytes given stay as they are. */
function changed(bytes: Uint8Array, changes: readonly Change[]): Uint8Array {
  let size = bytes.length;
  let most = size;
  for (const change of changes) {
    size = change.kind === "truncate" ? change.size : endOf(change, size);
    most = Math.max(most, size);
  }
  const result = new Uint8Array(most);
  result.set(bytes);
  size = bytes.length;
  for (const change of changes) {
    if (change.kind === "write") {
      result.set(change.bytes, change.offset);
      size = endOf(change, size);
    } else {
      result.fill(0, change.size, Math.max(size, change.size));
      size = change.size;
    }
  }
  return result.subarray(0, size);
}

function endOf(write: { offset: number; bytes: Uint8Array }, size: number): number {
  return Math.max(size, write.offset + write.bytes.length);
}
