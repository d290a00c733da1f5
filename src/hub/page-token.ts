import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { MAX_ID_CHARS } from "../protocol/limits.js";

/** A page token hides the mark it holds, so that clients do not come to depend on its form. */
const PREFIX = "p1:";
/** A sealed one hides it from everybody, for as long as this process runs. */
const SEALED_PREFIX = "p2:";
const SEALED_WITH = "aes-256-gcm";
const sealingKey = randomBytes(32);
const IV_BYTES = 12;
const TAG_BYTES = 16;

/** The token that names a mark. */
export function encodePageToken(mark: string): string {
  return Buffer.from(PREFIX + mark).toString("base64url");
}

/** The token that names a mark which its bearer must not learn; good until the hub ends. */
export function sealPageToken(mark: string): string {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv(SEALED_WITH, sealingKey, iv);
  // All of one length, which would tell something too.
  const sealed = Buffer.concat([cipher.update(mark.padEnd(MAX_ID_CHARS), "utf8"), cipher.final()]);
  const parts = [Buffer.from(SEALED_PREFIX), iv, cipher.getAuthTag(), sealed];
  return Buffer.concat(parts).toString("base64url");
}

/** The mark a token names; empty for no token, undefined for something that is none. */
export function decodePageToken(token: string): string | undefined {
  if (token === "") return "";
  const bytes = Buffer.from(token, "base64url");
  if (bytes.toString("latin1", 0, SEALED_PREFIX.length) === SEALED_PREFIX) return unseal(bytes);
  const decoded = bytes.toString("utf8");
  if (encodePageToken(decoded.slice(PREFIX.length)) !== token) return undefined;
  return decoded.startsWith(PREFIX) ? decoded.slice(PREFIX.length) : undefined;
}

function unseal(bytes: Buffer): string | undefined {
  const iv = bytes.subarray(SEALED_PREFIX.length).subarray(0, IV_BYTES);
  const rest = bytes.subarray(SEALED_PREFIX.length + IV_BYTES);
  if (rest.length <= TAG_BYTES) return undefined;
  const decipher = createDecipheriv(SEALED_WITH, sealingKey, iv, { authTagLength: TAG_BYTES });
  decipher.setAuthTag(rest.subarray(0, TAG_BYTES));
  try {
    const mark = decipher.update(rest.subarray(TAG_BYTES), undefined, "utf8");
    return (mark + decipher.final("utf8")).trimEnd();
  } catch {
    // Of another process, or nobody's.
    return undefined;
  }
}
