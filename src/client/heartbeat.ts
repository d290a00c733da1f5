/** Ticks are counted, and not time: a process that was busy or asleep has not heard silence. */
const TICKS_PER_INTERVAL = 4;
/** Two and a half intervals. */
const SILENT_TICKS = 10;
/** The longest a timer of Node can wait, in milliseconds. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Tells the hub that this side is there, and notices when the hub is not (L3). */
export interface Heartbeat {
  /** Something was received, whatever it was. */
  received(): void;
  stop(): void;
}

/**
 * Begins to beat: once soon, then every intervalMs.
 * @param of.intervalMs as the hub announced it; 0 where it did not, and then nothing is done
 * @param of.beat sends a heartbeat
 * @param of.missed called once, when nothing was received for two and a half intervals, up to
 * a quarter of an interval late
 */
export function startHeartbeat(of: {
  intervalMs: number;
  beat(): void;
  missed(): void;
}): Heartbeat {
  const { intervalMs, beat, missed } = of;
  if (!(intervalMs > 0)) return { received: () => {}, stop: () => {} };
  let ticks = 0;
  let silentTicks = 0;
  // Unref'd: the stream keeps the process alive, and where it does not nobody needs the beat.
  const timer = setInterval(
    () => {
      if (silentTicks >= SILENT_TICKS) {
        clearInterval(timer);
        missed();
        return;
      }
      silentTicks += 1;
      if (ticks % TICKS_PER_INTERVAL === 0) beat();
      ticks += 1;
    },
    Math.min(intervalMs / TICKS_PER_INTERVAL, MAX_TIMER_MS),
  ).unref();
  return {
    received() {
      silentTicks = 0;
    },
    stop: () => clearInterval(timer),
  };
}
