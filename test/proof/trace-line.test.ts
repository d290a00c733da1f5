import { expect, test } from "vitest";
import { readTraceLines, type SystemCall } from "../../proof/syscalls/trace-line.js";

/** Recorded from a hub, with shorter strings. */
const RECORDED = String.raw`
71 openat(AT_FDCWD, "\x2f\x64\x2f\x68", O_RDWR|O_CREAT|O_NOFOLLOW|O_CLOEXEC, 0644) = 23
71 openat(AT_FDCWD, "\x2f\x6e\x6f", O_RDONLY) = -1 ENOENT (No such file or directory)
71 pwrite64(24, "\xd9\x22\x2c\x29", 4, 4612) = 4
71 writev(27, [{iov_base="\x61\x62", iov_len=2}, {iov_base="\x63", iov_len=1}], 2) = 3
71 --- SIGTERM {si_signo=SIGTERM, si_code=SI_USER, si_pid=70, si_uid=0} ---
71 fsync(24 <unfinished ...>
72 close(13 <unfinished ...>
71 <... fsync resumed>)                    = 0
72 <... close resumed>)              = ?
72 +++ exited with 0 +++
`.trim();

function calls(text: string): SystemCall[] {
  return text
    .split("\n")
    .map(readTraceLines())
    .filter((call) => call !== undefined);
}

test("calls are read with their bytes, their numbers and where they began and returned", () => {
  const read = calls(RECORDED).map(({ name, words, strings, result, begunAt, endedAt }) => [
    name,
    words.join(" "),
    strings.map((bytes) => Buffer.from(bytes).toString("latin1")).join("|"),
    ...[result, begunAt, endedAt],
  ]);
  expect(read).toEqual([
    ["openat", "AT_FDCWD  O_RDWR|O_CREAT|O_NOFOLLOW|O_CLOEXEC 0644", "/d/h", 23, 1, 1],
    ["openat", "AT_FDCWD  O_RDONLY", "/no", -1, 2, 2],
    ["pwrite64", "24  4 4612", "\xd9\x22,)", 4, 3, 3],
    ["writev", "27 [{iov_base= iov_len=2} {iov_base= iov_len=1}] 2", "ab|c", 3, 4, 4],
    ["fsync", "24", "", 0, 6, 8],
    ["close", "13", "", -1, 7, 9],
  ]);
});

test.each([
  ["cut a string short", String.raw`71 write(1, "\x61"..., 9) = 9`],
  ["resumes what never began", "71 <... fsync resumed>) = 0"],
])("a trace that cannot be relied on is refused: %s", (sentence, line) => {
  expect(() => calls(line)).toThrow(sentence);
});
