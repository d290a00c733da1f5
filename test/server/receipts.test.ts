import fc from "fast-check";
import { expect, test } from "vitest";
import { timestampOf } from "../../src/protocol/time.js";
import { ConnectResponse } from "../../src/protocol/wire.js";
import { encodeReceipts } from "../../src/server/responses.js";

const answered = fc.record({
  requestId: fc.string(),
  receipt: fc.record({
    channelId: fc.string({ minLength: 1 }),
    seq: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
    messageId: fc.string({ unit: "grapheme" }),
    // Few enough that one follows another of the same millisecond.
    storedAtMs: fc.constantFrom(0, 1, 999, 1_000, 1_796_016_343_990, 1_796_016_343_991),
    duplicate: fc.boolean(),
  }),
});

test("receipts are encoded as the generated code does it, byte for byte", () => {
  fc.assert(
    fc.property(fc.array(answered, { minLength: 1, maxLength: 8 }), (all) => {
      const receipts = all.map(({ requestId, receipt: { storedAtMs, seq, ...receipt } }) => ({
        ...receipt,
        requestId,
        seq: BigInt(seq),
        timestamp: timestampOf(storedAtMs),
      }));
      const expected = ConnectResponse.encode(ConnectResponse.fromPartial({ receipts })).finish();
      expect(Buffer.from(encodeReceipts(all)).equals(expected)).toBe(true);
    }),
    { numRuns: 500 },
  );
});
