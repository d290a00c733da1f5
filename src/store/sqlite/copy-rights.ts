import { chmodSync, chownSync, statSync } from "node:fs";

/** Gives a file the rights of another, and its owner where this process may: chats are not for everybody. */
export function copyRights(of: { from: string; to: string }): void {
  const { mode, uid, gid } = statSync(of.from);
  if (process.geteuid?.() === 0) chownSync(of.to, uid, gid);
  chmodSync(of.to, mode & 0o777);
}
