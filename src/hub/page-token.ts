/** A page token hides the mark it holds, so that clients do not come to depend on its form. */
const PREFIX = "p1:";

/** The token that names a mark. */
export function encodePageToken(mark: string): string {
  return Buffer.from(PREFIX + mark).toString("base64url");
}

/** The mark a token names; empty for no token, undefined for something that is none. */
export function decodePageToken(token: string): string | undefined {
  if (token === "") return "";
  const decoded = Buffer.from(token, "base64url").toString("utf8");
  if (encodePageToken(decoded.slice(PREFIX.length)) !== token) return undefined;
  return decoded.startsWith(PREFIX) ? decoded.slice(PREFIX.length) : undefined;
}
