import { createReadStream } from "node:fs";
import { basename, dirname } from "node:path";
import { createInterface } from "node:readline";
import { readTraceLines, type SystemCall } from "./trace-line.ts";

/** The calls that the hub's files and connections are changed by, and those that tell what a descriptor is. */
export const TRACED_CALLS = [
  ...["openat", "open", "creat", "close", "accept4", "dup", "dup2", "dup3"],
  ...["write", "writev", "pwrite64", "pwritev", "pwritev2", "sendmsg", "sendto", "sendmmsg"],
  ...["sendfile", "splice", "copy_file_range", "fallocate", "truncate", "ftruncate"],
  ...["fsync", "fdatasync", "sync_file_range", "msync"],
  ...["rename", "renameat", "renameat2", "link", "linkat", "unlink", "unlinkat"],
];

/**
 * What the hub did to the files in its database's folder, and what it sent. `at` is the line of the
 * trace where it counts: a send where it began, for its bytes may be out from then on, anything
 * else where it had returned. Calls that failed changed nothing and are left out.
 */
export type TraceEvent = { at: number } & (
  | { kind: "create"; name: string; file: number }
  | { kind: "remove"; name: string }
  | { kind: "write"; file: number; offset: number; bytes: Uint8Array }
  | { kind: "truncate"; file: number; size: number }
  /** Covers what had returned before `begunAt`. */
  | { kind: "sync"; file: number; begunAt: number }
  | { kind: "sync-folder"; begunAt: number }
  | { kind: "send"; connection: number; bytes: Uint8Array }
  /** The hub's process was gone. */
  | { kind: "end" }
);

type Open = { file: number; name: string } | { connection: number } | "folder";

/**
 * Reads what one hub after another did, the first from before the folder held any file.
 * @param paths the traces, in order
 * @param folder the one that holds the database, absolute
 * @throws Error where a call changed something in a way that is not understood here
 */
export async function readTraces(paths: readonly string[], folder: string): Promise<TraceEvent[]> {
  const events: TraceEvent[] = [];
  const readLine = readTraceLines();
  const followProcess = followCalls(folder, (event) => events.push(event));
  for (const path of paths) {
    const follow = followProcess();
    for await (const line of createInterface({ input: createReadStream(path, "latin1") })) {
      const call = readLine(line);
      if (call !== undefined && call.result >= 0) follow(call);
    }
    const at = events.at(-1)?.at ?? 0;
    events.push({ kind: "end", at });
  }
  return events.sort((one, other) => one.at - other.at);
}

/** Of one process after another; the files are the same, the descriptors are not. */
function followCalls(folder: string, emit: (event: TraceEvent) => void) {
  let open = new Map<number, Open>();
  const files = new Map<string, number>();
  let made = 0;

  /** The name in the folder, or nothing for a path elsewhere. */
  const nameIn = (path: Uint8Array | undefined) => {
    const text = Buffer.from(path ?? []).toString();
    return dirname(text) === folder ? basename(text) : undefined;
  };

  function opened({ words, strings, result, endedAt: at }: SystemCall): void {
    if (Buffer.from(strings[0] ?? []).toString() === folder) open.set(result, "folder");
    const name = nameIn(strings[0]);
    if (name === undefined) return;
    const flags = words.join();
    let file = files.get(name);
    if (file === undefined) {
      made += 1;
      file = made;
      files.set(name, file);
      emit({ kind: "create", name, file, at });
    }
    if (flags.includes("O_TRUNC")) emit({ kind: "truncate", file, size: 0, at });
    open.set(result, { file, name });
  }

  function wrote(call: SystemCall, to: Open): void {
    const bytes = Buffer.concat(call.strings).subarray(0, call.result);
    if (to !== "folder" && "connection" in to) {
      emit({ kind: "send", connection: to.connection, bytes, at: call.begunAt });
    } else if (to !== "folder" && call.name === "pwrite64") {
      const offset = Number(call.words[3]);
      emit({ kind: "write", file: to.file, offset, bytes, at: call.endedAt });
    } else throw notUnderstood(call);
  }

  const follow = (call: SystemCall): void => {
    const { name, words, strings, result, begunAt, endedAt: at } = call;
    const on = open.get(Number(words[0]));
    switch (name) {
      case "openat":
        opened(call);
        break;
      case "accept4":
        made += 1;
        open.set(result, { connection: made });
        break;
      case "close":
        open.delete(Number(words[0]));
        break;
      case "write":
      case "writev":
      case "sendmsg":
      case "pwrite64":
        if (on !== undefined) wrote(call, on);
        break;
      case "ftruncate":
        if (on === undefined) break;
        if (on === "folder" || "connection" in on) throw notUnderstood(call);
        emit({ kind: "truncate", file: on.file, size: Number(words[1]), at });
        break;
      case "fsync":
      case "fdatasync":
        if (on === "folder") emit({ kind: "sync-folder", begunAt, at });
        else if (on !== undefined && "file" in on) {
          emit({ kind: "sync", file: on.file, begunAt, at });
        }
        break;
      case "unlink": {
        const removed = nameIn(strings[0]);
        if (removed === undefined) break;
        files.delete(removed);
        emit({ kind: "remove", name: removed, at });
        break;
      }
      default:
        if (on !== undefined || strings.some((one) => nameIn(one) !== undefined)) {
          throw notUnderstood(call);
        }
    }
  };
  return () => {
    open = new Map();
    return follow;
  };
}

function notUnderstood({ name, words, endedAt }: SystemCall): Error {
  return new Error(`line ${endedAt} of the trace: ${name}(${words.join(", ")}) is not understood`);
}
