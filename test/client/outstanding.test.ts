import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { closedError } from "../../src/client/errors.js";
import { createOutstanding } from "../../src/client/outstanding.js";
import {
  ChatAccept,
  ChatHistory,
  ChatMessage,
  type ConnectRequest,
  Receipt,
} from "../../src/protocol/wire.js";

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
  expect(sent.slice(2)).toEqual(["2?"]);
  outstanding.refused("2?", STORED);
  const receipt = Receipt.fromPartial({ requestId: "2", channelId: "c", duplicate: true });
  outstanding.answered("2", { kind: "receipt", receipt });
  expect(await Promise.all(ends)).toEqual(["STORAGE_UNAVAILABLE", "receipt"]);
  expect(sent.slice(2)).toEqual(["2?", "2"]);
});

const NOT_NOW = {
  code: 14,
  reason: "STORAGE_UNAVAILABLE",
  message: "",
  retryable: true,
  retryAfter: undefined,
};

/** What the hub answers where it has stored the message that was asked about, and where not. */
const STORED = { ...NOT_NOW, code: 6, reason: "MESSAGE_ID_REUSED", retryable: false };
const NOT_STORED = { ...NOT_NOW, code: 5, reason: "CHANNEL_NOT_FOUND", retryable: false };

/** Messages by their request ids, which count from 1. */
function talk() {
  const sent: string[] = [];
  const link = {
    writable: true,
    send({ requestId }: ConnectRequest) {
      sent.push(requestId);
    },
  };
  const outstanding = createOutstanding(link);
  return {
    ...{ sent, link, outstanding },
    say(requestId: string, { channelId = "c", targetAgent = "" } = {}) {
      const aborting = new AbortController();
      const value = ChatMessage.fromPartial({ channelId, targetAgent, messageId: requestId });
      const bounds = { timeoutMs: 60_000, signal: aborting.signal, what: requestId };
      const end = outstanding.call({ $case: "chatMessage", value }, bounds).then(
        ({ kind }) => kind,
        ({ reason, message }: Error & { reason: string }) =>
          message.includes("not sent again") ? `${reason}, not sent again` : reason,
      );
      return { end, giveUp: () => aborting.abort() };
    },
    store(requestId: string, channelId = "c") {
      const receipt = Receipt.fromPartial({ requestId, channelId });
      outstanding.answered(requestId, { kind: "receipt", receipt });
    },
    /** Long enough for a refused one to be sent again. */
    pause: () => vi.advanceTimersByTimeAsync(10_000),
  };
}

test("M4: a refused frame does not follow a later one that was given up and is stored", async () => {
  const { sent, outstanding, say, store, pause } = talk();
  const [one, two, three] = [say("1"), say("2"), say("3", { channelId: "other" })];
  outstanding.refused("1", NOT_NOW);
  two.giveUp();
  outstanding.refused("3", NOT_NOW);
  await pause();
  expect(sent).toEqual(["1", "2", "3"]);
  store("2");
  expect(await one.end).toBe("STORAGE_UNAVAILABLE, not sent again");
  expect(await two.end).toBe("ABORTED_BY_CALLER");
  expect(sent).toEqual(["1", "2", "3", "3"]);
  store("3", "other");
  expect(await three.end).toBe("receipt");
});

test.each(["refused for now", "refused for good", "stored elsewhere"])(
  "M4: one that was given up and is %s holds a refused frame back no longer",
  async (outcome) => {
    const { sent, outstanding, say, store, pause } = talk();
    const [one, two] = [say("1"), say("2", { channelId: "", targetAgent: "b" })];
    two.giveUp();
    outstanding.refused("1", NOT_NOW);
    await pause();
    expect(sent).toEqual(["1", "2"]);
    if (outcome === "stored elsewhere") store("2", "other");
    else outstanding.refused("2", { ...NOT_NOW, retryable: outcome === "refused for now" });
    await pause();
    expect(sent).toEqual(["1", "2", "1"]);
    store("1");
    expect(await one.end).toBe("receipt");
  },
);

test("M4: after a cut nobody learns whether one that was given up is stored: no refused frame follows it", async () => {
  const { sent, outstanding, say, store, pause } = talk();
  const [one, two, three, four] = [say("1"), say("2"), say("3", { channelId: "d" }), say("4")];
  outstanding.refused("1", NOT_NOW);
  outstanding.refused("3", NOT_NOW);
  four.giveUp();
  outstanding.resend();
  expect(await one.end).toBe("STORAGE_UNAVAILABLE, not sent again");
  // Whether it was refused as well, in the session before, the hub tells.
  expect(sent.slice(4)).toEqual(["2?"]);
  outstanding.refused("2?", NOT_STORED);
  expect(await two.end).toBe("OVERTAKEN, not sent again");
  expect(sent.slice(4)).toEqual(["2?", "3"]);
  store("3", "d");
  expect(await three.end).toBe("receipt");
  const five = say("5");
  outstanding.refused("5", NOT_NOW);
  await pause();
  store("5");
  expect(await five.end).toBe("receipt");
  expect(sent.slice(4)).toEqual(["2?", "3", "5", "5"]);
});

test("M4: after a cut, one that was refused unheard does not follow a later one that is stored", async () => {
  const { sent, outstanding, say, store } = talk();
  const ends = [say("1"), say("2"), say("3"), say("4", { channelId: "d" })].map(({ end }) => end);
  outstanding.resend();
  const five = say("5");
  // Nothing is sent again before it is known, and nothing new.
  expect(sent.slice(4)).toEqual(["1?", "2?", "3?"]);
  outstanding.refused("1?", NOT_STORED);
  outstanding.refused("2?", STORED);
  expect(await ends[0]).toBe("OVERTAKEN, not sent again");
  outstanding.refused("3?", NOT_STORED);
  expect(sent.slice(7)).toEqual(["2", "3", "4", "5"]);
  for (const requestId of ["2", "3", "5"]) store(requestId);
  store("4", "d");
  expect(await Promise.all(ends.slice(1))).toEqual(["receipt", "receipt", "receipt"]);
  expect(await five.end).toBe("receipt");
});

test("M4: where none is stored all go out again, in their order", async () => {
  const { sent, outstanding, say, store } = talk();
  const ends = [say("1"), say("2")].map(({ end }) => end);
  outstanding.resend();
  for (const requestId of ["1?", "2?"]) outstanding.refused(requestId, NOT_STORED);
  expect(sent.slice(2)).toEqual(["1?", "2?", "1", "2"]);
  for (const requestId of ["1", "2"]) store(requestId);
  expect(await Promise.all(ends)).toEqual(["receipt", "receipt"]);
});

test("M4: a hub that cannot look at the moment is asked again, and the next session from the start", async () => {
  const { sent, outstanding, say, pause } = talk();
  const [one, two] = [say("1"), say("2")];
  outstanding.resend();
  outstanding.refused("1?", NOT_NOW);
  outstanding.refused("2?", NOT_STORED);
  expect(sent.slice(2)).toEqual(["1?", "2?"]);
  await pause();
  expect(sent.slice(4)).toEqual(["1?"]);
  outstanding.resend();
  // Of the second it is known by now that it is not stored, so the first cannot be behind it.
  expect(sent.slice(5)).toEqual(["1", "2"]);
  one.giveUp();
  two.giveUp();
});

test("M4: what is known of one when the next cut comes, it counts for those that are not known", async () => {
  const { sent, outstanding, say } = talk();
  const [one, two] = [say("1"), say("2")];
  outstanding.resend();
  outstanding.refused("1?", NOT_STORED);
  outstanding.resend();
  expect(sent.slice(4)).toEqual(["2?"]);
  outstanding.refused("2?", STORED);
  expect(await one.end).toBe("OVERTAKEN, not sent again");
  two.giveUp();
});

test("M4: one that was given up while it was asked about leaves the others in order", async () => {
  const { sent, outstanding, say } = talk();
  const [one, two] = [say("1"), say("2")];
  outstanding.resend();
  two.giveUp();
  outstanding.refused("1?", NOT_STORED);
  expect(await one.end).toBe("OVERTAKEN, not sent again");
  outstanding.refused("2?", STORED);
  expect(sent.slice(2)).toEqual(["1?", "2?"]);
});

test("M4: what waits behind a refused frame does not go out before the rest of a session that was cut", async () => {
  const { sent, outstanding, say, store } = talk();
  const [one, two, three] = [say("1"), say("2"), say("3")];
  outstanding.refused("1", NOT_NOW);
  const four = say("4");
  two.giveUp();
  outstanding.resend();
  expect(await one.end).toBe("STORAGE_UNAVAILABLE, not sent again");
  expect(sent.slice(3)).toEqual(["3", "4"]);
  store("3");
  store("4");
  expect(await Promise.all([three.end, four.end])).toEqual(["receipt", "receipt"]);
});

test("M4: a history that was given up has overtaken nothing", async () => {
  const { sent, outstanding, say, pause } = talk();
  const one = say("1");
  const aborting = new AbortController();
  const asked = outstanding.call(
    { $case: "chatHistory", value: ChatHistory.fromPartial({ channelId: "c" }) },
    { timeoutMs: 60_000, signal: aborting.signal, what: "2" },
  );
  outstanding.refused("1", NOT_NOW);
  aborting.abort();
  await expect(asked).rejects.toMatchObject({ reason: "ABORTED_BY_CALLER" });
  await pause();
  expect(sent).toEqual(["1", "2", "1"]);
  outstanding.refused("1", NOT_NOW);
  outstanding.resend();
  expect(sent).toEqual(["1", "2", "1", "1"]);
  one.giveUp();
});

test("M4: one of an earlier session, given up before it is sent again, may be stored", async () => {
  const { sent, link, outstanding, say, pause } = talk();
  const [one, two] = [say("1"), say("2")];
  outstanding.refused("1", NOT_NOW);
  link.writable = false;
  outstanding.resend();
  two.giveUp();
  expect(await one.end).toBe("STORAGE_UNAVAILABLE, not sent again");
  link.writable = true;
  await pause();
  expect(sent).toEqual(["1", "2"]);
});

test("M4: an answer that is not sent again after a cut may be stored", async () => {
  const { sent, outstanding, say, pause } = talk();
  const one = say("1");
  const value = ChatAccept.fromPartial({ consumerId: "b" });
  const accepted = outstanding.call(
    { $case: "chatAccept", value },
    { timeoutMs: 60_000, signal: undefined, what: "2" },
  );
  outstanding.refused("1", NOT_NOW);
  outstanding.resend();
  await expect(accepted).rejects.toMatchObject({ reason: "UNKNOWN_OUTCOME" });
  expect(await one.end).toBe("STORAGE_UNAVAILABLE, not sent again");
  await pause();
  expect(sent).toEqual(["1", "2"]);
});

test("M4: one given up before it was sent, or while it is refused, holds nothing back", async () => {
  const { sent, link, outstanding, say, store, pause } = talk();
  const one = say("1");
  outstanding.refused("1", NOT_NOW);
  const [two, three] = [say("2"), say("3")];
  two.giveUp();
  await pause();
  expect(sent).toEqual(["1", "1"]);
  outstanding.refused("1", NOT_NOW);
  one.giveUp();
  expect(sent).toEqual(["1", "1", "3"]);
  store("3");
  expect(await three.end).toBe("receipt");
  link.writable = false;
  say("4").giveUp();
  link.writable = true;
  outstanding.pump();
  await outstanding.idle();
  expect(sent).toEqual(["1", "1", "3"]);
});

test("nobody waits for the answers of those that were given up", async () => {
  const { outstanding, say, store } = talk();
  const one = say("1");
  one.giveUp();
  await outstanding.idle();
  expect(await one.end).toBe("ABORTED_BY_CALLER");
  store("1");
});

test("what waits is not sent when every call is given up", async () => {
  const { sent, outstanding, say } = talk();
  const one = say("1");
  outstanding.refused("1", NOT_NOW);
  const two = say("2");
  outstanding.failAll(closedError("the client was disconnected"));
  expect(await Promise.all([one.end, two.end])).toEqual(["CLOSED", "CLOSED"]);
  expect(sent).toEqual(["1"]);
});
