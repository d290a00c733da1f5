import { startChild } from "../support/child.ts";
import type { ObserverOrder, ObserverReport } from "./words.ts";

/** Sees providers come and go, from where the hub is. */
export interface Observer {
  /** The next time, not yet taken, that the service's provider came or went. */
  saw(serviceId: string, online: boolean): Promise<ObserverReport>;
  end(): Promise<void>;
}

/** @param under runs it where it reaches the hub */
export function startObserver(address: string, under: string[]): Observer {
  const url = new URL("observer-process.ts", import.meta.url);
  const child = startChild<ObserverOrder, ObserverReport>(url, under);
  child.tell({ address });
  return {
    saw: (serviceId, online) =>
      child.next((report) => report.serviceId === serviceId && report.online === online),
    end: () => child.end(),
  };
}
