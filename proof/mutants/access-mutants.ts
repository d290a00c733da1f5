import type { Edit } from "../patches/patched-source.ts";
import type { Mutant } from "./mutant.ts";

/** A check that is left out. @param tried what of the matrix shows it */
function hole(of: Edit & { name: string; what: string; also?: Edit; tried: string }): Mutant {
  const { name, what, file, find, replace, also, tried } = of;
  return {
    ...{ name, what, edits: [{ file, find, replace }, ...(also === undefined ? [] : [also])] },
    caughtBy: "matrix",
    words: ["-t", tried],
  };
}

/** Holes in who is let in, and in who may read and do what (I1, C7, S3). */
export const ACCESS_MUTANTS: readonly Mutant[] = [
  hole({
    name: "door-open",
    what: "takes a call without credentials for the agent that it names",
    file: "server/logins.ts",
    find: 'if ("refusal" in found) {',
    replace:
      'if ("refusal" in found && found.refusal.reason === "MISSING_CREDENTIALS")' +
      ' return identified({ agentId: agentIds[0], role: "agent", credential: { kind: "open", id: "" } }, address);' +
      ' if ("refusal" in found) {',
    tried: "chat_history by channel_id",
  }),
  hole({
    name: "secret-not-compared",
    what: "lets in whoever knows a key's id",
    file: "auth/authenticator.ts",
    find: "if (record === undefined || !isRight)",
    replace: "if (record === undefined)",
    tried: "heartbeat",
  }),
  hole({
    name: "expired-key-let-in",
    what: "lets a key in that has expired",
    file: "auth/authenticator.ts",
    find: "record.expiresAtMs <= nowMs ?",
    replace: "record.expiresAtMs <= 0 ?",
    tried: "ListServices",
  }),
  hole({
    name: "revoked-key-let-in",
    what: "lets a key in that was revoked",
    file: "auth/authenticator.ts",
    find: "if (record.revokedAtMs !== 0)",
    replace: "if (record.revokedAtMs < 0)",
    tried: "Connect, receive manual",
  }),
  hole({
    name: "any-name-with-any-key",
    what: "believes the name beside a key that stands for others",
    file: "auth/claimed-agent.ts",
    find: "if (!claim.allows(agentId))",
    replace: "if (false)",
    tried: "chat_message by channel_id",
  }),
  hole({
    name: "sender-believed",
    what: "takes the sender's name from the message",
    file: "protocol/frame-rules.ts",
    find: 'field.ownName("chat_message.sender_id", frame.senderId, agentId) ??',
    replace: "",
    tried: "chat_message in another's name",
  }),
  hole({
    name: "history-for-everybody",
    what: "shows the history of a chat to whoever knows its name",
    file: "hub/history.ts",
    find: '(roleOf(channel, agentId) !== undefined || role === "admin")',
    replace: '(true || role === "admin")',
    tried: "chat_history by channel_id",
  }),
  hole({
    name: "end-by-everybody",
    what: "lets whoever knows a chat's name end it",
    file: "hub/end.ts",
    find: '!(isMember || caller.role === "admin")',
    replace: "false",
    tried: "chat_end",
  }),
  hole({
    name: "message-by-everybody",
    what: "lets whoever knows a chat's name speak in it",
    file: "hub/decide.ts",
    find: "if (roleOf(channel, agentId) === undefined) {",
    replace: "if (false) {",
    also: {
      file: "hub/address.ts",
      find: "channel === undefined || roleOf(channel, agentId) === undefined",
      replace: "channel === undefined",
    },
    tried: "chat_message by channel_id",
  }),
  hole({
    name: "consumer-accepts",
    what: "lets a consumer accept its own request",
    file: "hub/decide.ts",
    find: 'if (role === "consumer") {',
    replace: "if (false) {",
    tried: "chat_accept by channel_id",
  }),
  hole({
    name: "service-for-everybody",
    what: "shows a service to those whom it is not for",
    file: "hub/visible-service.ts",
    find: "allowedConsumers.length === 0 ||",
    replace: "true ||",
    tried: "ListServices",
  }),
  hole({
    name: "withdrawn-by-everybody",
    what: "lets any agent withdraw a service",
    file: "hub/services.ts",
    find: "if (service.providerId !== agentId) {",
    replace: "if (false) {",
    tried: "UnregisterService",
  }),
  hole({
    name: "taken-by-everybody",
    what: "lets an agent register the service of another as its own",
    file: "hub/services.ts",
    find: "before.providerId !== agentId",
    replace: "before.providerId === undefined",
    tried: "RegisterService",
  }),
  hole({
    name: "everybody-lists-all",
    what: "lists the chats of others to agents that are no admins",
    file: "hub/listings.ts",
    find: 'memberId !== "" && caller.role !== "admin"',
    replace: 'memberId !== "" && false',
    tried: "ListChannels of all",
  }),
  hole({
    name: "acks-of-strangers",
    what: "does not look whose the channel of an ack is",
    file: "hub/ack.ts",
    find: "return denyChannel(context, agentId, channelId, channel);",
    replace: "if (channel === undefined) return denyChannel(context, agentId, channelId, channel);",
    tried: "acks",
  }),
];
