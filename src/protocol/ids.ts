import { MAX_ID_CHARS } from "./limits.js";

const ID = new RegExp(`^[A-Za-z0-9][A-Za-z0-9._:@/-]{0,${MAX_ID_CHARS - 1}}$`);

/** What an agent or service id must look like, for error messages (I3). */
export const ID_RULE =
  "1 to 128 characters of A-Z a-z 0-9 . _ : @ / -, beginning with a letter or digit";

/** Whether a text may be an agent or service id (I3). */
export function isValidId(text: string): boolean {
  return ID.test(text);
}
