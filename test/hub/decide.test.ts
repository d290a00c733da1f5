import { expect, test } from "vitest";
import { type Channel, newChannel } from "../../src/hub/channel.js";
import { type Decision, decideAnswer, decideEnd, decideMessage } from "../../src/hub/decide.js";
import { ChannelState } from "../../src/protocol/wire.js";

const base = newChannel({
  channelId: "ch_1",
  serviceId: "svc",
  providerId: "provider",
  consumerId: "consumer",
  createdAtMs: 0,
});

/** Every kind of channel there is. */
const CHANNELS: Record<string, Channel> = {
  open: { ...base, consumerId: "" },
  requested: { ...base, state: ChannelState.CHANNEL_STATE_REQUESTED, lastSeq: 1 },
  accepted: { ...base, state: ChannelState.CHANNEL_STATE_ACTIVE, lastSeq: 2, answerSeq: 2 },
  direct: { ...base, state: ChannelState.CHANNEL_STATE_ACTIVE, lastSeq: 1 },
  rejected: { ...base, state: ChannelState.CHANNEL_STATE_REJECTED, lastSeq: 2, answerSeq: 2 },
  ended: { ...base, state: ChannelState.CHANNEL_STATE_ENDED, lastSeq: 3, answerSeq: 2, endSeq: 3 },
  takenBack: { ...base, state: ChannelState.CHANNEL_STATE_ENDED, lastSeq: 2, endSeq: 2 },
};

const COMMANDS: Record<string, (channel: Channel, agentId: string) => Decision> = {
  accept: (channel, agentId) => decideAnswer(channel, agentId, "accept"),
  reject: (channel, agentId) => decideAnswer(channel, agentId, "reject"),
  message: decideMessage,
  end: decideEnd,
};

/** `store`, `repeat N` or the reason of the refusal; for [accept, reject, message, end]. */
const EXPECTED: Record<string, Record<string, string[]>> = {
  open: {
    provider: ["CHAT_NOT_ACCEPTED", "CHAT_NOT_ACCEPTED", "CHAT_NOT_ACCEPTED", "CHAT_NOT_ACCEPTED"],
    consumer: ["CHANNEL_NOT_FOUND", "CHANNEL_NOT_FOUND", "CHANNEL_NOT_FOUND", "CHANNEL_NOT_FOUND"],
  },
  requested: {
    provider: ["store", "store", "CHAT_NOT_ACCEPTED", "CHAT_NOT_ACCEPTED"],
    consumer: ["NOT_PROVIDER", "NOT_PROVIDER", "CHAT_NOT_ACCEPTED", "store"],
  },
  accepted: {
    provider: ["repeat 2", "ALREADY_ANSWERED", "store", "store"],
    consumer: ["NOT_PROVIDER", "NOT_PROVIDER", "store", "store"],
  },
  direct: {
    provider: ["ALREADY_ANSWERED", "ALREADY_ANSWERED", "store", "store"],
    consumer: ["NOT_PROVIDER", "NOT_PROVIDER", "store", "store"],
  },
  rejected: {
    provider: ["ALREADY_ANSWERED", "repeat 2", "CHANNEL_ENDED", "CHANNEL_ENDED"],
    consumer: ["NOT_PROVIDER", "NOT_PROVIDER", "CHANNEL_ENDED", "CHANNEL_ENDED"],
  },
  ended: {
    provider: ["repeat 2", "ALREADY_ANSWERED", "CHANNEL_ENDED", "repeat 3"],
    consumer: ["NOT_PROVIDER", "NOT_PROVIDER", "CHANNEL_ENDED", "repeat 3"],
  },
  takenBack: {
    provider: ["CHANNEL_ENDED", "CHANNEL_ENDED", "CHANNEL_ENDED", "repeat 2"],
    consumer: ["NOT_PROVIDER", "NOT_PROVIDER", "CHANNEL_ENDED", "repeat 2"],
  },
};

function inWords(decision: Decision): string {
  if ("refusal" in decision) return decision.refusal.reason;
  return "repeat" in decision ? `repeat ${decision.repeat}` : "store";
}

for (const [name, channel] of Object.entries(CHANNELS)) {
  test(`C1 C3 C6: what the members of a channel that is ${name} may do`, () => {
    for (const agentId of ["provider", "consumer"]) {
      const decisions = Object.values(COMMANDS).map((decide) => inWords(decide(channel, agentId)));
      expect(decisions, agentId).toEqual(EXPECTED[name]?.[agentId]);
    }
  });

  test(`C7: to a stranger a channel that is ${name} does not exist`, () => {
    for (const decide of Object.values(COMMANDS)) {
      expect(inWords(decide(channel, "stranger"))).toBe("CHANNEL_NOT_FOUND");
    }
  });
}
