import { openSqliteStore } from "claw-chat-hub/store/sqlite";

/** Opens what it is told to as the hub does, closes it, and answers with the error, or nothing. */
process.on("message", (path: string) => {
  openSqliteStore({ path })
    .then((store) => store.close())
    .then(
      () => process.send?.(""),
      (error: unknown) => process.send?.(String(error)),
    );
});
