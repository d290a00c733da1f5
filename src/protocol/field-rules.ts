import { ID_RULE, isValidId } from "./ids.js";
import { type HubLimits, MAX_DURATION_MS, MAX_KEY_BYTES } from "./limits.js";
import { isValidPattern, PATTERN_RULE } from "./pattern.js";
import { type Refusal, refuse } from "./refusals.js";
import type { Duration } from "./wire.js";

/**
 * Rules about single fields. Each takes the field's proto path first and
 * returns the refusal, or undefined where the rule holds. An empty field
 * passes all of them but `required`.
 */

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL_CHARACTER = /[\u0000-\u001f\u007f]/;

/** The field is filled. */
export function required(field: string, value: string, meaning: string): Refusal | undefined {
  return value === "" ? refuse("MISSING_FIELD", `${field} is empty; ${meaning}`) : undefined;
}

/** An agent or service id (I3). */
export function id(field: string, value: string): Refusal | undefined {
  if (value === "" || isValidId(value)) return undefined;
  return refuse("INVALID_ID", `${field} is no id; an id is ${ID_RULE}`);
}

/** An agent id or a pattern of such; an empty one is none. */
export function pattern(field: string, value: string): Refusal | undefined {
  if (isValidPattern(value)) return undefined;
  return refuse(
    "INVALID_ID",
    `${field} holds what is neither an id nor a pattern: ${PATTERN_RULE}`,
  );
}

/** A key of the client's making: message_id, request_id and the like. */
export function key(field: string, value: string): Refusal | undefined {
  return isKey(value)
    ? undefined
    : refuse(
        "INVALID_ID",
        `${field} is no key; use at most ${MAX_KEY_BYTES} bytes without control characters`,
      );
}

/** Whether a text may be a key: short, and without control characters. */
export function isKey(value: string): boolean {
  if (value === "") return true;
  // A letter takes three bytes of UTF-8 at most.
  const fits = value.length * 3 <= MAX_KEY_BYTES || Buffer.byteLength(value) <= MAX_KEY_BYTES;
  return fits && !CONTROL_CHARACTER.test(value);
}

/** A text no longer than so many UTF-8 bytes. */
export function text(field: string, value: string, maxBytes: number): Refusal | undefined {
  return value.length * 3 > maxBytes && Buffer.byteLength(value) > maxBytes
    ? refuse("BAD_TEXT", `${field} is longer than ${maxBytes} bytes`)
    : undefined;
}

/** A name that the hub sets from the credentials; the client may repeat its own (I1). */
export function ownName(field: string, value: string, agentId: string): Refusal | undefined {
  return value === "" || value === agentId
    ? undefined
    : refuse("SENDER_MISMATCH", `${field} names another agent than the caller; leave it empty`);
}

/** A field that only the hub sets (I5). */
export function unset(field: string, isSet: boolean): Refusal | undefined {
  return isSet
    ? refuse("HUB_FIELD_SET", `${field} is set by the hub alone; leave it empty`)
    : undefined;
}

/** A value of an enum by which the hub acts, so that it has to know it. @param words to use instead */
export function known(
  field: string,
  value: number,
  values: Record<number, string>,
  words: string,
): Refusal | undefined {
  if (value >= 0 && values[value] !== undefined) return undefined;
  return refuse("BAD_VALUE", `${field} ${value} is none that this hub knows; use ${words}`);
}

/** A duration between least and MAX_DURATION_MS. */
export function duration(
  field: string,
  value: Duration | undefined,
  leastMs: number,
): Refusal | undefined {
  if (value === undefined) return undefined;
  const { seconds, nanos } = value;
  // Seconds and nanos of different sign, or a second of nanos, are malformed in every language.
  const wellFormed = Number.isInteger(nanos) && nanos >= 0 && nanos < 1e9 && seconds >= 0n;
  const inRange =
    wellFormed &&
    seconds <= BigInt(MAX_DURATION_MS / 1000) &&
    Number(seconds) * 1000 + nanos / 1e6 >= leastMs &&
    Number(seconds) * 1000 + nanos / 1e6 <= MAX_DURATION_MS;
  return inRange
    ? undefined
    : refuse("BAD_TIMEOUT", `${field} is out of range; use ${leastMs} ms to 7 days`);
}

/** How large a metadata map may be. */
export type MetadataBounds = Pick<HubLimits, "maxMetadataEntries" | "maxMetadataBytes">;

/** A metadata map. */
export function metadata(
  field: string,
  value: Map<string, string>,
  { maxMetadataEntries, maxMetadataBytes }: MetadataBounds,
): Refusal | undefined {
  if (value.size === 0) return undefined;
  if (value.size > maxMetadataEntries) {
    return refuse("METADATA_TOO_LARGE", `${field} has more than ${maxMetadataEntries} entries`);
  }
  let bytes = 0;
  for (const [name, content] of value) {
    bytes += Buffer.byteLength(name) + Buffer.byteLength(content);
  }
  return bytes > maxMetadataBytes
    ? refuse("METADATA_TOO_LARGE", `${field} is larger than ${maxMetadataBytes} bytes in all`)
    : undefined;
}
