/**
 * Runs work until it ends or Ctrl-C (SIGINT, SIGTERM) aborts the signal it is
 * given. A second one ends the process at once.
 */
export async function untilInterrupted<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const abort = new AbortController();
  const stop = (_name: NodeJS.Signals, signalNumber: number) => {
    if (abort.signal.aborted) process.exit(128 + signalNumber);
    abort.abort();
  };
  process.on("SIGINT", stop).on("SIGTERM", stop);
  try {
    return await work(abort.signal);
  } finally {
    process.off("SIGINT", stop).off("SIGTERM", stop);
  }
}
