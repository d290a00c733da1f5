/**
 * Runs every proof and prints a line for each; the last line is "N passed, N failed". A proof
 * that this machine lacks a tool for is named, and with CI=true its lack is a failure.
 */
import { Option, program } from "commander";
import { PROOFS } from "./proofs.ts";
import { record } from "./record.ts";
import { type ProofResult, runProof } from "./run-proof.ts";

const names = PROOFS.map(({ name }) => name);
const options = program
  .name("npm run prove --")
  .description("Shows the promises of docs/guarantees.md on this machine, in at most 20 minutes.")
  .addOption(new Option("--only <proofs...>", "only these").choices(names))
  .option("--long", "the long figures: 1,000 kills, every cut; takes an hour or two")
  .option("--record", "write the figures into docs/guarantees.md")
  .parse()
  .opts<{ only?: string[]; long?: true; record?: true }>();

const isCi = process.env.CI === "true";
const wanted = PROOFS.filter(({ name }) => options.only?.includes(name) ?? true);
const results: ProofResult[] = [];
for (const [index, proof] of wanted.entries()) {
  process.stderr.write(`--- ${proof.name} (${index + 1} of ${wanted.length})\n`);
  const result = await runProof(proof, options.long ?? false);
  results.push(result);
  const { name, verdict, seconds, figures } = result;
  console.log(
    `${name.padEnd(11)} ${verdict.padEnd(8)} ${seconds.toFixed(0).padStart(4)} s  ${figures}`,
  );
}
if (options.record) record(results, new Date().toISOString().slice(0, 10));

const lacking = results.filter(({ verdict }) => verdict === "lacking" || verdict === "partly");
for (const { name, verdict, figures } of lacking) {
  const what = verdict === "partly" ? "a part of it" : "it";
  console.log(`${isCi ? "failed" : "skipped"}: ${name}: ${what} cannot run here: ${figures}`);
}
const broken = results.filter(({ verdict }) => verdict === "broken");
for (const { name, command, figures } of broken)
  console.log(`failed: ${name}: ${figures}: ${command}`);
const failed = broken.length + (isCi ? lacking.length : 0);
console.log(`${results.length - broken.length - lacking.length} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
