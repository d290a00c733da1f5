import { pino } from "pino";
import { expect, test } from "vitest";
import type { AuditEvent } from "../../src/hub/audit.js";
import { refuse } from "../../src/protocol/refusals.js";
import { createAuditNotes } from "../../src/server/audit-notes.js";
import type { Job, Turns } from "../../src/server/turns.js";

/** Turns that store what they are given, unless they are told to refuse. */
function turnsInMemory() {
  const state = { stored: [] as AuditEvent[], batches: 0, refuses: false };
  const tx = { audit: async (events: AuditEvent[]) => void state.stored.push(...events) };
  const turns = {
    async submit<T>(job: Job<T>) {
      if (state.refuses) return job.failed(refuse("STORAGE_FULL", "no room"));
      state.batches += 1;
      job.done(await job.run({ tx } as never));
    },
  } as unknown as Turns;
  return { state, turns };
}

const denied = (agentId: string) =>
  ({
    event: "access_denied",
    actor: "eve",
    agentId,
    channelId: "",
    address: "",
    detail: "",
  }) as const;
const notesOn = (turns: Turns) =>
  createAuditNotes({ turns, nowMs: () => 7, log: pino({ level: "silent" }) });

test("refusals are stored in batches, at most a hundred of a kind in a minute, and counted beyond", async () => {
  const { state, turns } = turnsInMemory();
  const notes = notesOn(turns);
  for (let count = 0; count < 250; count += 1) {
    notes.note({ ...denied(`a${count}`), address: `192.0.2.${count % 10}` });
  }
  notes.note({ ...denied("b"), event: "login_refused" });
  expect(state.stored).toEqual([]);
  await notes.close();
  expect(state.batches).toBe(1);
  expect(state.stored).toHaveLength(102);
  expect(state.stored[0]).toEqual({ atMs: 7, ...denied("a0"), address: "192.0.2.0" });
  expect(state.stored.at(-1)).toMatchObject({
    event: "suppressed",
    detail: "150 more access_denied",
  });
  notes.note(denied("late"));
  await notes.close();
  expect(state.stored).toHaveLength(102);
});

test("who floods the log does not hide what comes from elsewhere", async () => {
  const { state, turns } = turnsInMemory();
  const notes = notesOn(turns);
  for (let count = 0; count < 250; count += 1) {
    notes.note({ ...denied("a"), address: `2001:db8::${count}` });
  }
  notes.note({ ...denied("b"), address: "192.0.2.1" });
  await notes.close();
  expect(state.stored.filter(({ agentId }) => agentId === "a")).toHaveLength(20);
  expect(state.stored.filter(({ agentId }) => agentId === "b")).toHaveLength(1);
  expect(state.stored.at(-1)).toMatchObject({ detail: "230 more access_denied" });
});

test("what the database did not take is stored when it does again", async () => {
  const { state, turns } = turnsInMemory();
  state.refuses = true;
  const notes = notesOn(turns);
  notes.note(denied("a"));
  await notes.close();
  expect(state.stored).toEqual([]);
  state.refuses = false;
  await notes.close();
  expect(state.stored).toMatchObject([{ agentId: "a" }]);
});
