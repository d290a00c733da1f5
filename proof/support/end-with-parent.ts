/** Loaded into a process that a proof started: it ends when the proof does, however that ends. */
process.once("disconnect", () => process.exit());
