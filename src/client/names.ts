import { AcceptPolicy, ChannelState, EndCode, RejectCode } from "../protocol/wire.js";
import type {
  ChannelStateName,
  EndCodeName,
  GivenEndCodeName,
  GivenRejectCodeName,
  RejectCodeName,
} from "./vocabulary.js";

/** Names of the wire's enums. A value of a newer hub has no name. */

const STATES: Record<Exclude<ChannelStateName, "unknown">, ChannelState> = {
  open: ChannelState.CHANNEL_STATE_OPEN,
  requested: ChannelState.CHANNEL_STATE_REQUESTED,
  active: ChannelState.CHANNEL_STATE_ACTIVE,
  rejected: ChannelState.CHANNEL_STATE_REJECTED,
  ended: ChannelState.CHANNEL_STATE_ENDED,
};
const REJECT_CODES: Record<RejectCodeName, RejectCode> = {
  busy: RejectCode.REJECT_CODE_BUSY,
  not_allowed: RejectCode.REJECT_CODE_NOT_ALLOWED,
  unsupported: RejectCode.REJECT_CODE_UNSUPPORTED,
};
const END_CODES: Record<EndCodeName, EndCode> = {
  completed: EndCode.END_CODE_COMPLETED,
  cancelled: EndCode.END_CODE_CANCELLED,
  failed: EndCode.END_CODE_FAILED,
};

const STATE_NAMES = invert(STATES);
const END_NAMES = new Map<EndCode, GivenEndCodeName>([
  ...invert(END_CODES),
  [EndCode.END_CODE_POLICY, "policy"],
]);
const REJECT_NAMES = new Map<RejectCode, GivenRejectCodeName>([
  ...invert(REJECT_CODES),
  [RejectCode.REJECT_CODE_EXPIRED, "expired"],
  [RejectCode.REJECT_CODE_WITHDRAWN, "withdrawn"],
]);

export function stateOf(name: Exclude<ChannelStateName, "unknown"> | undefined): ChannelState {
  return name === undefined ? ChannelState.CHANNEL_STATE_UNSPECIFIED : STATES[name];
}

export function stateName(state: ChannelState): ChannelStateName {
  return STATE_NAMES.get(state) ?? "unknown";
}

export function rejectCodeOf(name: RejectCodeName | undefined): RejectCode {
  return name === undefined ? RejectCode.REJECT_CODE_UNSPECIFIED : REJECT_CODES[name];
}

export function rejectCodeName(code: RejectCode): GivenRejectCodeName | undefined {
  return REJECT_NAMES.get(code);
}

export function endCodeOf(name: EndCodeName | undefined): EndCode {
  return name === undefined ? EndCode.END_CODE_UNSPECIFIED : END_CODES[name];
}

export function endCodeName(code: EndCode): GivenEndCodeName | undefined {
  return END_NAMES.get(code);
}

export function acceptPolicyOf(name: "manual" | "auto" | undefined): AcceptPolicy {
  return name === "auto" ? AcceptPolicy.ACCEPT_POLICY_AUTO : AcceptPolicy.ACCEPT_POLICY_MANUAL;
}

export function acceptPolicyName(policy: AcceptPolicy): "manual" | "auto" {
  return policy === AcceptPolicy.ACCEPT_POLICY_AUTO ? "auto" : "manual";
}

function invert<Name extends string, Value>(table: Record<Name, Value>): Map<Value, Name> {
  const inverted = new Map<Value, Name>();
  for (const name in table) inverted.set(table[name], name);
  return inverted;
}
