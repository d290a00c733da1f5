/** A database file cannot be used; the message says why, and the file was not changed. */
export class StoreOpenError extends Error {
  override readonly name = "StoreOpenError";
}
