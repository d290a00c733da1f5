import { cpus, release, totalmem, type } from "node:os";

/** The machine of a run, in a line. */
export function machine(): string {
  const [first] = cpus();
  const gib = (totalmem() / 2 ** 30).toFixed(0);
  return `${cpus().length} × ${first?.model.trim()}, ${gib} GiB, ${type()} ${release()}, Node.js ${process.version}`;
}
