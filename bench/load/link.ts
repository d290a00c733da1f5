/** One agent's way to a server, whatever the protocol. */
export interface Link {
  /** Sends an encoded ConnectRequest, which may be changed afterwards, at the end of this turn. */
  send(message: Uint8Array): void;
  /** Half-closes and resolves when the server has answered that. */
  close(): Promise<void>;
}

/** How a link is opened. */
export interface LinkOptions {
  /** `127.0.0.1:port`. */
  address: string;
  agentId: string;
  apiKey?: string | undefined;
  /** An encoded ConnectResponse lies in bytes, between from and to, until this returns. */
  onMessage(bytes: Buffer, from: number, to: number): void;
  /** All messages of one read have been told. */
  onRead?(): void;
  /** The server has ended it, unless `close` was called. */
  onEnd(reason: string): void;
}
