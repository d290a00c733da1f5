import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createAcks } from "../../src/client/acks.js";
import type { ConnectRequest } from "../../src/protocol/wire.js";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function sentAcks() {
  const sent: string[] = [];
  const link = {
    writable: true,
    send(request: ConnectRequest) {
      for (const { channelId, seq } of request.acks) sent.push(`acked ${channelId} ${seq}`);
      for (const { channelId, seq } of request.setAside) sent.push(`aside ${channelId} ${seq}`);
      expect(request.acks.length === 0 || request.setAside.length === 0).toBe(true);
    },
  };
  return { sent, link, acks: createAcks(link) };
}

test("D2 D5: only the newest position of a channel is sent, once a turn", () => {
  const { sent, acks } = sentAcks();
  for (const seq of [1, 3, 2]) acks.add("x", seq);
  for (const seq of [5, 6]) acks.setAside("y", seq);
  expect(sent).toEqual([]);
  vi.runAllTimers();
  expect(sent).toEqual(["acked x 3", "aside y 6"]);
});

test("D2: refused acks are sent again with what was handled since, and so is what was set aside", () => {
  const { sent, acks } = sentAcks();
  const positions = new Map([["x", 1]]);
  acks.add("x", 1);
  acks.setAside("y", 4);
  acks.flush();
  acks.refused(() => positions);
  positions.set("x", 2);
  acks.add("x", 2);
  acks.flush();
  acks.refused(() => positions);
  sent.length = 0;
  vi.runAllTimers();
  expect(sent).toEqual(["acked x 2", "aside y 4"]);
});

test("D5: what was set aside in one session says nothing in the next", () => {
  const { sent, link, acks } = sentAcks();
  link.writable = false;
  acks.add("x", 1);
  acks.setAside("y", 4);
  vi.runAllTimers();
  acks.sessionStarted();
  link.writable = true;
  acks.flush();
  acks.refused(() => []);
  vi.runAllTimers();
  expect(sent).toEqual(["acked x 1"]);
});

test("D2: acks refused for good are sent once more, one by one, and then no more", () => {
  const requests: string[] = [];
  const acks = createAcks({
    writable: true,
    send({ requestId, acks: positions }: ConnectRequest) {
      expect(acks.isAck(requestId)).toBe(true);
      requests.push(`${requestId}: ${positions.map(({ channelId }) => channelId).join(" ")}`);
    },
  });
  for (const channelId of ["x", "pruned", "y"]) acks.add(channelId, 1);
  vi.runAllTimers();
  const positions = new Map([
    ["x", 1],
    ["pruned", 1],
    ["y", 1],
  ]);
  acks.refusedForGood("acks", () => positions);
  acks.refusedForGood("ack", () => positions);
  vi.runAllTimers();
  expect(requests).toEqual(["acks: x pruned y", "ack: x", "ack: pruned", "ack: y"]);
});
