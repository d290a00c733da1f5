import type { Party } from "./conversation.ts";
import { noteHandled, noteSaid } from "./journal.ts";

/** Said at least, so that there is something to cut. */
const LEAST = 30;
/** Said at most, where the reader does not come back. */
const MOST = 5_000;
/** Live entries after the seam, until the writer may stop. */
const LIVE_AFTER_SEAM = 5;
/** Messages on their way at once. */
const AT_ONCE = 4;

/**
 * One party talks without pause while the other's connection is cut, until that one reads live
 * again: so that entries are stored at every moment of its coming back, where the entries of the
 * log and the live ones meet (D1).
 * @param cutMade tells whether the connection was cut
 */
export async function stream(writer: Party, reader: Party, cutMade: () => boolean): Promise<void> {
  const targetAgent = reader.client.agentId;
  let number = 0;
  let liveAfterSeam = 0;
  let wake = () => {};
  reader.client.listenForMessages((message) => {
    noteHandled(reader.journal, message, message.content);
    if (reader.journal.sessions.length > 1 && !message.replayed) liveAfterSeam += 1;
    wake();
  });
  const connected = reader.client.connect();
  await writer.client.connect();

  function isEnough(): boolean {
    if (number >= MOST) return true;
    // A cut before the greeting leaves a reader with one session only.
    const seamSeen = liveAfterSeam >= LIVE_AFTER_SEAM || reader.journal.sessions.length < 2;
    return number >= LEAST && cutMade() && seamSeen;
  }
  async function write(): Promise<void> {
    while (!isEnough()) {
      number += 1;
      const content = `message ${String(number).padStart(4, "0")}`;
      const messageId = `${writer.client.agentId}-${number}`;
      const message = { targetAgent, content, messageId };
      await noteSaid(writer.journal, content, () => writer.client.sendMessage(message));
    }
  }
  await connected;
  await Promise.all(Array.from({ length: AT_ONCE }, write));
  while (reader.journal.handled.length < number) {
    await new Promise<void>((resolve) => {
      wake = resolve;
    });
  }
}
