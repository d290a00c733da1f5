import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** One TCP connection of the client. */
export interface ClientConnection {
  /** 1, 2, … in the order of their coming. */
  number: number;
  /** Cuts it, whatever is under way. */
  drop(): void;
  /** Nothing passes any more in either direction, and nobody is told. */
  freeze(): void;
}

/** What clients connect to: hands their bytes on, until it is told otherwise. */
export interface FrontDoor {
  port: number;
  /** The connection that reaches the server behind from that port. */
  connectionFrom(backPort: number): ClientConnection | undefined;
  /** Cuts the next connections as soon as they have come. */
  turnAway(connections: number): void;
  close(): void;
}

/** Listens on loopback, in front of the server at that port. */
export async function openFrontDoor(
  serverPort: number,
  turnedAway: () => void,
): Promise<FrontDoor> {
  const byBackPort = new Map<number, ClientConnection>();
  const sockets = new Set<Socket>();
  let unwelcome = 0;
  let count = 0;

  const listener = createServer((front) => {
    if (unwelcome > 0) {
      unwelcome -= 1;
      front.resetAndDestroy();
      turnedAway();
      return;
    }
    count += 1;
    const number = count;
    const back = connect(serverPort, "127.0.0.1");
    for (const socket of [front, back]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      // A cut is an error on one side of it.
      socket.on("error", () => {});
      socket.on("close", () => {
        sockets.delete(socket);
        front.destroy();
        back.destroy();
      });
    }
    back.once("connect", () => {
      byBackPort.set(back.localPort ?? 0, {
        number,
        drop() {
          front.resetAndDestroy();
        },
        freeze() {
          front.unpipe(back).pause();
          back.unpipe(front).pause();
        },
      });
      front.pipe(back);
      back.pipe(front);
    });
  });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  return {
    port: (listener.address() as AddressInfo).port,
    connectionFrom: (backPort) => byBackPort.get(backPort),
    turnAway(connections) {
      unwelcome = connections;
    },
    close() {
      listener.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
