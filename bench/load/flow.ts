import type { Span } from "./read-response.ts";
import { contentOf, createTemplate, DIGITS, readHex, writeHex } from "./requests.ts";

/**
 * Messages of one sender to one receiver in one channel, and the checks: every receipt names the
 * next request and the next seq, every delivery is the next message, byte for byte.
 */
export interface Flow {
  readonly channelId: string;
  /** Messages that have both their receipt and their delivery. */
  readonly done: number;
  /** Sent and not done. */
  readonly inFlight: number;
  /** Seq of the last delivery. */
  readonly deliveredSeq: number;
  /** The next request. */
  next(): Uint8Array;
  /** @throws Error where it is not the next receipt */
  receipt(bytes: Buffer, id: Span, seq: number): void;
  /** @throws Error where it is not the next message, or is altered */
  delivery(bytes: Buffer, content: Span, seq: number): void;
}

/**
 * @param of.number of the flow, which every content names
 * @param of.baseSeq seq of the message that opened the channel
 * @param of.numbersSeq whether the server numbers messages at all
 */
export function createFlow(of: {
  number: number;
  channelId: string;
  baseSeq: number;
  numbersSeq: boolean;
  sizeBytes: number;
}): Flow {
  const { number, channelId, baseSeq, numbersSeq, sizeBytes } = of;
  const template = createTemplate({ channelId, flow: number, sizeBytes });
  const expected = contentOf(number, sizeBytes);
  let sent = 0;
  let receipts = 0;
  let deliveries = 0;

  function checkSeq(what: string, seq: number, index: number): void {
    const right = baseSeq + 1 + index;
    if (numbersSeq && seq !== right) {
      throw new Error(`flow ${number}: ${what} has seq ${seq} where ${right} is next`);
    }
  }

  const flow = {
    channelId,
    get done() {
      return Math.min(receipts, deliveries);
    },
    get inFlight() {
      return sent - flow.done;
    },
    get deliveredSeq() {
      return baseSeq + deliveries;
    },
    next() {
      const request = template.numbered(sent);
      sent += 1;
      return request;
    },
    receipt(bytes: Buffer, id: Span, seq: number) {
      const named = id.to - id.from === DIGITS ? readHex(bytes, id.from) : -1;
      if (named !== receipts || receipts >= sent) {
        throw new Error(`flow ${number}: a receipt is for ${named} where ${receipts} is next`);
      }
      checkSeq("a receipt", seq, receipts);
      receipts += 1;
    },
    delivery(bytes: Buffer, content: Span, seq: number) {
      writeHex(expected, 0, deliveries);
      const isRight = bytes.compare(expected, 0, expected.length, content.from, content.to) === 0;
      if (!isRight || deliveries >= sent) {
        const found = bytes.toString(
          "latin1",
          content.from,
          Math.min(content.to, content.from + 24),
        );
        throw new Error(
          `flow ${number}: delivery ${deliveries} is not what was sent; it begins with ${JSON.stringify(found)}`,
        );
      }
      checkSeq("a delivery", seq, deliveries);
      deliveries += 1;
    },
  };
  return flow;
}
