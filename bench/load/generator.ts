/** The load generator as a process of its own: takes an order, reports, and takes the next one. */
import "../../proof/support/end-with-parent.ts";
import { type IdleOrder, type IdleReport, idle } from "./idle.ts";
import { type HistoryOrder, type HistoryReport, readHistory } from "./read-history.ts";
import { type ResumeOrder, type ResumeReport, resume } from "./resume.ts";
import { type LoadOrder, type LoadReport, runLoad } from "./run-load.ts";

export type Order = LoadOrder | IdleOrder | HistoryOrder | ResumeOrder;

/** What comes of an order. */
interface Reports {
  load: LoadReport;
  idle: IdleReport;
  history: HistoryReport;
  resume: ResumeReport;
}
export type OrderReport<K extends Order["kind"]> = Reports[K];

/** What the process answers. */
export type GeneratorAnswer = Reports[Order["kind"]] | { failed: string };

function follow(order: Order): Promise<Reports[Order["kind"]]> {
  switch (order.kind) {
    case "load":
      return runLoad(order);
    case "idle":
      return idle(order);
    case "history":
      return readHistory(order);
    case "resume":
      return resume(order);
    default:
      return order satisfies never;
  }
}

process.on("message", (order: Order) => {
  void follow(order)
    .catch((error: Error) => ({ failed: error.message }))
    .then((answer: GeneratorAnswer) => process.send?.(answer));
});
