import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createOutstanding } from "../../src/client/outstanding.js";
import { ChatMessage, type ConnectRequest, Receipt } from "../../src/protocol/wire.js";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test("M4: a refused frame and those of an earlier session do not wait for each other", async () => {
  const sent: string[] = [];
  let room = 3;
  const link = {
    get writable() {
      return room > 0;
    },
    send({ requestId }: ConnectRequest) {
      room -= 1;
      sent.push(requestId);
    },
  };
  const outstanding = createOutstanding(link);
  const ends = ["one", "two", "three"].map((content, index) => {
    const value = ChatMessage.fromPartial({ channelId: `c${index}`, messageId: content, content });
    return outstanding
      .call(
        { $case: "chatMessage", value },
        { timeoutMs: 60_000, signal: undefined, what: content },
      )
      .then(({ kind }) => kind);
  });
  expect(sent).toEqual(["1", "2", "3"]);
  // A new session, which takes the first alone at once, and refuses it.
  room = 1;
  outstanding.resend();
  const refused = { code: 14, reason: "STORAGE_UNAVAILABLE", message: "", retryable: true };
  outstanding.refused("1", { ...refused, retryAfter: undefined });
  room = 10;
  await vi.advanceTimersByTimeAsync(10_000);
  for (const requestId of ["2", "3"]) {
    expect(sent.slice(3)).toContain(requestId);
    const receipt = Receipt.fromPartial({ requestId, channelId: `c${Number(requestId) - 1}` });
    outstanding.answered(requestId, { kind: "receipt", receipt });
  }
  await vi.advanceTimersByTimeAsync(10_000);
  expect(sent.at(-1)).toBe("1");
  const receipt = Receipt.fromPartial({ requestId: "1", channelId: "c0" });
  outstanding.answered("1", { kind: "receipt", receipt });
  expect(await Promise.all(ends)).toEqual(["receipt", "receipt", "receipt"]);
});

test("M4: a frame refused before a cut does not follow a later one that was stored before it", async () => {
  const sent: string[] = [];
  const outstanding = createOutstanding({
    writable: true,
    send({ requestId }: ConnectRequest) {
      sent.push(requestId);
    },
  });
  const ends = ["one", "two"].map((content) => {
    const value = ChatMessage.fromPartial({ channelId: "c", messageId: content, content });
    return outstanding
      .call(
        { $case: "chatMessage", value },
        { timeoutMs: 60_000, signal: undefined, what: content },
      )
      .then(
        ({ kind }) => kind,
        ({ reason }: { reason: string }) => reason,
      );
  });
  const refused = { code: 14, reason: "STORAGE_UNAVAILABLE", message: "", retryable: true };
  outstanding.refused("1", { ...refused, retryAfter: undefined });
  // The receipt of the second is lost with the connection.
  outstanding.resend();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(sent.slice(2)).toEqual(["2"]);
  const receipt = Receipt.fromPartial({ requestId: "2", channelId: "c", duplicate: true });
  outstanding.answered("2", { kind: "receipt", receipt });
  expect(await Promise.all(ends)).toEqual(["STORAGE_UNAVAILABLE", "receipt"]);
  expect(sent.slice(2)).toEqual(["2"]);
});
