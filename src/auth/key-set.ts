import { readFileSync, statSync } from "node:fs";
import {
  createLocalJWKSet,
  createRemoteJWKSet,
  errors,
  type FlattenedJWSInput,
  type JWTVerifyGetKey,
} from "jose";

/** Finds the key that a token was signed with. Rejects with KeySetError where it cannot look. */
export type KeySet = JWTVerifyGetKey;

/** The keys that tokens are verified with cannot be had; the message says what would be right. */
export class KeySetError extends Error {
  override readonly name = "KeySetError";
}

/**
 * A JSON web key set.
 * @param place a file, or an https:// address; http:// only on this machine
 * @param problem told where a file has changed to something that is no key set
 * @throws KeySetError where the place is neither, or the file cannot be read now
 */
export function openKeySet(place: string, problem: (error: Error) => void): KeySet {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(place) ? remoteKeySet(place) : fileKeySet(place, problem);
}

function remoteKeySet(address: string): KeySet {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  const isHere = url !== undefined && /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname);
  if (url?.protocol !== "https:" && !(url?.protocol === "http:" && isHere)) {
    throw new KeySetError(
      `the key set ${address} could be changed on its way here: use https://, or a file`,
    );
  }
  const find = createRemoteJWKSet(url);
  return async (header, token) => {
    try {
      return await find(header, token);
    } catch (error) {
      if (isAboutTheToken(error)) throw error;
      throw new KeySetError(`the key set ${address} cannot be read`, { cause: error });
    }
  };
}

/** Read again when it changes; what it was before stays good while it cannot be read. */
function fileKeySet(path: string, problem: (error: Error) => void): KeySet {
  let seen = "";
  let find: JWTVerifyGetKey = () => Promise.reject(new KeySetError(`${path} was not read`));

  function look(): void {
    const { mtimeMs, size, ino } = statSync(path);
    const now = `${mtimeMs} ${size} ${ino}`;
    if (now === seen) return;
    find = createLocalJWKSet(JSON.parse(readFileSync(path, "utf8")));
    seen = now;
  }

  try {
    look();
  } catch (cause) {
    throw new KeySetError(`${path} is no JSON web key set that can be read`, { cause });
  }
  return async (header, token: FlattenedJWSInput) => {
    try {
      look();
    } catch (cause) {
      problem(new KeySetError(`${path} cannot be read; its keys from before go on`, { cause }));
    }
    return find(header, token);
  };
}

/** There is no key for this token, or one that does not fit. */
function isAboutTheToken(error: unknown): boolean {
  return (
    error instanceof errors.JWKSNoMatchingKey ||
    error instanceof errors.JWKSMultipleMatchingKeys ||
    error instanceof errors.JOSENotSupported
  );
}
