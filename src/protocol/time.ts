import type { Duration, Timestamp } from "./wire.js";

/** Milliseconds since the epoch, as a protobuf timestamp. */
export function timestampOf(epochMs: number): Timestamp {
  const seconds = Math.floor(epochMs / 1000);
  return { seconds: BigInt(seconds), nanos: Math.round((epochMs - seconds * 1000) * 1e6) };
}

/** A protobuf timestamp, as milliseconds since the epoch; 0 where there is none. */
export function epochMsOf(timestamp: Timestamp | undefined): number {
  return timestamp === undefined ? 0 : Number(timestamp.seconds) * 1000 + timestamp.nanos / 1e6;
}

/** Milliseconds, as a protobuf duration. */
export function durationOf(durationMs: number): Duration {
  const seconds = Math.trunc(durationMs / 1000);
  return { seconds: BigInt(seconds), nanos: Math.round((durationMs - seconds * 1000) * 1e6) };
}

/** A protobuf duration, as milliseconds; undefined where there is none. */
export function durationMsOf(duration: Duration | undefined): number | undefined {
  return duration === undefined
    ? undefined
    : Number(duration.seconds) * 1000 + duration.nanos / 1e6;
}
