import fc from "fast-check";
import { expect, test } from "vitest";
import { MessageMeter } from "../../src/server/message-meter.js";

const PREFIX_BYTES = 5;

function message(length: number): Buffer {
  const bytes = Buffer.alloc(PREFIX_BYTES + length, 7);
  bytes.writeUInt8(0, 0);
  bytes.writeUInt32BE(length, 1);
  return bytes;
}

test("M5: a meter tells what is complete, however the bytes are cut into pieces", () => {
  const lengths = fc.array(fc.integer({ min: 0, max: 700 }), { minLength: 1, maxLength: 6 });
  const cuts = fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1 });
  fc.assert(
    fc.property(lengths, cuts, (sizes, steps) => {
      const bytes = Buffer.concat(sizes.map(message));
      const ends = sizes.map((_, index) =>
        sizes.slice(0, index + 1).reduce((sum, size) => sum + PREFIX_BYTES + size, 0),
      );
      const meter = new MessageMeter();
      let at = 0;
      for (let count = 0; at < bytes.length; count += 1) {
        const end = Math.min(bytes.length, at + (steps[count % steps.length] ?? 1));
        const isIn = (from: number, to: number) => to > at && from + PREFIX_BYTES <= end;
        const begins = ends.map((one, index) => one - PREFIX_BYTES - (sizes[index] ?? 0));
        const passed = ends.filter((one) => one > at && one <= end);
        expect(meter.take(bytes.subarray(at, end))).toEqual({
          completed: passed.length > 0,
          unfinishedBytes: end - (passed.at(-1) ?? at),
          longestBytes: Math.max(
            0,
            ...sizes.filter((_, index) => isIn(begins[index] ?? 0, ends[index] ?? 0)),
          ),
        });
        at = end;
      }
    }),
  );
});

test("M5: a meter knows how long a message says that it is, before any of it is there", () => {
  const meter = new MessageMeter();
  expect(meter.take(Buffer.from([0, 0xff, 0xff])).longestBytes).toBe(0);
  expect(meter.take(Buffer.from([0xff, 0xff])).longestBytes).toBe(0xffff_ffff);
});
