import fc from "fast-check";
import { expect, test } from "vitest";
import { advance, apply } from "../../src/hub/apply.js";
import { type Channel, newChannel } from "../../src/hub/channel.js";
import { type DecidedEntry, HUB_AUTHOR } from "../../src/hub/entry.js";
import { remainingMs } from "../../src/hub/expire.js";
import { ChannelState, ChatMessage } from "../../src/protocol/wire.js";

const active: Channel = {
  ...newChannel({
    channelId: "ch_1",
    serviceId: "",
    providerId: "p",
    consumerId: "c",
    createdAtMs: 0,
  }),
  state: ChannelState.CHANNEL_STATE_ACTIVE,
};

function messageBy(author: string, seq: number): DecidedEntry {
  return {
    channelId: "ch_1",
    seq,
    kind: "chatMessage",
    author,
    key: `m-${seq}`,
    addressedByChannel: true,
    storedAtMs: 0,
    frame: { $case: "chatMessage", value: ChatMessage.fromPartial({ senderId: author }) },
  };
}

type Step = { author: string } | { ack: "p" | "c"; back: number };
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ author: fc.constantFrom("p", "c", HUB_AUTHOR) }),
  fc.record({ ack: fc.constantFrom("p" as const, "c" as const), back: fc.nat(5) }),
);

test("D2 M6: after any writes and acks, a member is behind exactly where something is left to read", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      let channel = active;
      const authors: string[] = [];
      const acked = { p: 0, c: 0 };
      for (const next of steps) {
        if ("author" in next) {
          authors.push(next.author);
          channel = apply(channel, messageBy(next.author, channel.lastSeq + 1));
        } else {
          const seq = Math.max(0, channel.lastSeq - next.back);
          acked[next.ack] = Math.max(acked[next.ack], seq);
          const role = next.ack === "p" ? "provider" : "consumer";
          channel = {
            ...channel,
            [role]: advance(channel[role], seq, channel.lastSeq),
          };
        }
        for (const [member, role] of [
          ["p", "provider"],
          ["c", "consumer"],
        ] as const) {
          const { position, due } = channel[role];
          const unread = authors.some(
            (author, index) => author !== member && index + 1 > acked[member],
          );
          expect(position < due).toBe(unread);
          // Never beyond an entry of somebody else's that was not acked.
          const firstUnread = authors.findIndex(
            (author, index) => author !== member && index + 1 > acked[member],
          );
          if (unread) expect(position).toBeLessThanOrEqual(firstUnread);
          else expect(position).toBe(channel.lastSeq);
        }
      }
      expect(channel.lastSeq).toBe(authors.length);
    }),
  );
});

test("C4: what remains of a wait is between nothing and all of it, whatever the clock says", () => {
  const pending = { ...active, requestedAtMs: 10_000, timeoutMs: 3_000 };
  expect(remainingMs(pending, 11_000)).toBe(2_000);
  expect(remainingMs(pending, 99_000)).toBe(0);
  expect(remainingMs(pending, 0)).toBe(3_000);
});
