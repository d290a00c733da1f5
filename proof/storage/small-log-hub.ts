// A hub whose write-ahead log has a small bound, which no setting of the command line gives.
import { startHub } from "claw-chat-hub/server";
import { openSqliteStore } from "claw-chat-hub/store/sqlite";

const [path = "", maxLogBytes = ""] = process.argv.slice(2);
const store = await openSqliteStore({ path, maxLogBytes: Number(maxLogBytes) });
const hub = await startHub({ store, listen: "127.0.0.1:0" });
console.log(hub.address);
process.once("SIGTERM", async () => {
  await hub.stop();
  await store.close();
  process.exit();
});
