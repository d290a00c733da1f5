import type { Duplex } from "node:stream";

/** What every HTTP/2 client sends first (RFC 9113, section 3.4). */
const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

/**
 * Waits until a connection has sent the HTTP/2 preface, and leaves it there to be read. A
 * connection that says nothing, or something else, costs no HTTP/2 session. The price is a round
 * trip for each connection: a client is sent its settings only then.
 * @param complete called once when the whole of it is there
 * @param wrong called once at the first byte that is none of it
 */
export function awaitPreface(
  socket: Duplex,
  { complete, wrong }: { complete: () => void; wrong: () => void },
): void {
  let seen = Buffer.alloc(0);
  const look = () => {
    const more: Buffer | null = socket.read();
    if (more === null) return;
    seen = Buffer.concat([seen, more]);
    const { length } = seen.length < PREFACE.length ? seen : PREFACE;
    if (!seen.subarray(0, length).equals(PREFACE.subarray(0, length))) {
      socket.off("readable", look);
      wrong();
    } else if (seen.length >= PREFACE.length) {
      socket.off("readable", look);
      socket.unshift(seen);
      complete();
    }
  };
  socket.on("readable", look);
}
