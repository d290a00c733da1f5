/** The load generator as a process of its own: takes an order, reports, and takes the next one. */
import "../../proof/support/end-with-parent.ts";
import { type LoadOrder, type LoadReport, runLoad } from "./run-load.ts";

/** What came of an order. */
export type GeneratorReport = LoadReport | { failed: string };

process.on("message", (order: LoadOrder) => {
  void runLoad(order)
    .catch((error: Error) => ({ failed: error.message }))
    .then((report: GeneratorReport) => process.send?.(report));
});
