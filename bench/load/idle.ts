import { type Agent, openAgent, type Target } from "./cast.ts";

/** Opens sessions, and keeps them until the next order of this kind. */
export interface IdleOrder {
  kind: "idle";
  target: Target;
  /** So many; with 0 those that are open are closed. */
  sessions: number;
}

export interface IdleReport {
  /** How long it took to open them. */
  seconds: number;
}

/** Connections that are being opened at a time. */
const AT_A_TIME = 50;

let open: Agent[] = [];

/** @throws Error when a session cannot be opened */
export async function idle({ target, sessions }: IdleOrder): Promise<IdleReport> {
  const begunMs = performance.now();
  while (open.length < sessions) {
    const missing = Math.min(AT_A_TIME, sessions - open.length);
    const names = Array.from({ length: missing }, (_, more) => `bench-idle-${open.length + more}`);
    open.push(...(await Promise.all(names.map((name) => openAgent(target, name, () => {})))));
  }
  if (sessions === 0) {
    await Promise.all(open.map(({ link }) => link.close()));
    open = [];
  }
  return { seconds: (performance.now() - begunMs) / 1000 };
}
