/** How many intervals a client that sends heartbeats may be silent (L3). */
const MISSED_INTERVALS = 2.5;

/** Notices that a client which has sent heartbeats sends nothing any more (L3). */
export interface HeartbeatWatch {
  /** A request came in. */
  heard(heartbeat: boolean): void;
  /** The hub does not read: silence says nothing about the client. */
  pause(): void;
  resume(): void;
  /** For good. */
  stop(): void;
}

/** Watches nobody until the first heartbeat. @param of.missed called once */
export function createHeartbeatWatch(of: {
  intervalMs: number;
  missed: () => void;
}): HeartbeatWatch {
  const silentMs = of.intervalMs * MISSED_INTERVALS;
  let state: "off" | "watching" | "paused" | "stopped" = "off";
  let timer: NodeJS.Timeout | undefined;
  let heardSince = false;

  function start(): void {
    if (timer === undefined) timer = setTimeout(due, silentMs).unref();
    else timer.refresh();
  }

  function due(): void {
    heardSince = false;
    // A hub that was held up itself runs its timers before it reads what has arrived meanwhile.
    setImmediate(() => {
      if (state !== "watching") return;
      if (heardSince) return;
      state = "stopped";
      of.missed();
    });
  }

  return {
    heard(heartbeat) {
      heardSince = true;
      if (state === "watching") start();
      else if (state === "off" && heartbeat) {
        state = "watching";
        start();
      }
    },
    pause() {
      if (state !== "watching") return;
      state = "paused";
      clearTimeout(timer);
      timer = undefined;
    },
    resume() {
      if (state !== "paused") return;
      state = "watching";
      start();
    },
    stop() {
      state = "stopped";
      clearTimeout(timer);
    },
  };
}
