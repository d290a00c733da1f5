/** What the judge cannot let pass; the message is a sentence about the client. */
export class Fault extends Error {
  override readonly name = "Fault";
}

/** Waits for things to happen, without looking at the clock more than once. */
export interface Watch {
  /** Something has happened: whoever waits looks again. */
  changed(): void;
  /** The client has broken a rule that holds at any time. Only the first counts. */
  fault(sentence: string): void;
  /** The client can do nothing any more, for the reason given. */
  over(sentence: string): void;
  /**
   * The first value that is not undefined.
   * @throws Fault when a rule was broken, when nothing can follow any more, or after the
   * watch's time; the sentence then begins with what was waited for
   */
  until<T>(what: string, look: () => T | undefined): Promise<T>;
  /** @throws Fault when a rule was broken meanwhile */
  check(): void;
}

/** @param patienceMs how long a single thing is waited for */
export function createWatch(patienceMs: number): Watch {
  let wake = Promise.withResolvers<void>();
  let broken: string | undefined;
  let end: string | undefined;

  function changed(): void {
    wake.resolve();
    wake = Promise.withResolvers();
  }
  function check(): void {
    if (broken !== undefined) throw new Fault(broken);
  }
  return {
    changed,
    fault(sentence) {
      broken ??= sentence;
      changed();
    },
    over(sentence) {
      end ??= sentence;
      changed();
    },
    async until(what, look) {
      let late = false;
      const timer = setTimeout(() => {
        late = true;
        changed();
      }, patienceMs);
      try {
        for (;;) {
          check();
          const found = look();
          if (found !== undefined) return found;
          if (end !== undefined) throw new Fault(`${what} did not come: ${end}`);
          if (late) throw new Fault(`${what} did not come within ${patienceMs / 1000} s`);
          await wake.promise;
        }
      } finally {
        clearTimeout(timer);
      }
    },
    check,
  };
}
