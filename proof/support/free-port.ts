import { once } from "node:events";
import { createServer } from "node:net";
import type { Random } from "./random.ts";

/**
 * A port of 127.0.0.1 that nobody listens on, below those the system gives to clients: a client
 * that keeps dialling one of its own kind of ports while nobody listens there may meet itself,
 * and then the port is taken.
 */
export async function freePort(random: Random): Promise<number> {
  for (let tries = 0; tries < 100; tries += 1) {
    const port = random.int(10_240, 32_000);
    const server = createServer();
    try {
      server.listen(port, "127.0.0.1");
      await once(server, "listening");
      return port;
    } catch {
      // Taken: another one.
    } finally {
      server.close();
    }
  }
  throw new Error("no free port found in 100 tries");
}
