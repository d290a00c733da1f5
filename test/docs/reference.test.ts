import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { expect, test } from "vitest";
import { type Contract, partsOf, readContract } from "../../scripts/reference/read-contract.ts";
import { keptContract } from "../upgrades/kept-contract.js";

const root = fileURLToPath(new URL("../../", import.meta.url));
const descriptors = readFileSync(`${root}gen/descriptor.binpb`);
const contract = readContract(descriptors);
const text = readFileSync(`${root}docs/reference.md`, "utf8");

const uncommented = (of: Contract) =>
  partsOf(of).flatMap(({ path, comment }) => (/\w+ \w+/.test(comment) ? [] : [path]));

test("every call, message, field, enum and value of the contract has a comment", () => {
  // Counted by the descriptors themselves, so that nothing is passed over.
  let parts = 0;
  for (const type of keptContract(descriptors).registry) {
    if (!type.typeName.startsWith("claw.chat.v1.")) continue;
    if (type.kind === "message") parts += 1 + type.fields.length + type.oneofs.length;
    if (type.kind === "enum") parts += 1 + type.values.length;
    if (type.kind === "service") parts += 1 + type.methods.length;
  }
  expect(parts).toBeGreaterThan(150);
  expect(partsOf(contract)).toHaveLength(parts);
  expect(uncommented(contract)).toEqual([]);
});

test.each([
  ["Connect", /^ Opens a session/],
  ["ChatAccept.channel_id", /^ Names the request; or leave it out/],
  ["CHANNEL_STATE_ENDED", /^ Over, or taken back/],
])("a part without a comment is found: %s", (_name, comment) => {
  const set = fromBinary(FileDescriptorSetSchema, descriptors);
  const places = set.file.flatMap(({ sourceCodeInfo }) => sourceCodeInfo?.location ?? []);
  const place = places.find(({ leadingComments }) => comment.test(leadingComments));
  if (place === undefined) throw new Error(`nothing has the comment ${comment}`);
  place.leadingComments = "";
  const stripped = readContract(toBinary(FileDescriptorSetSchema, set));
  expect(uncommented(stripped)).toHaveLength(1);
});

test("docs/reference.md has a row or a heading for every part, and its links lead somewhere", () => {
  for (const { path, name } of partsOf(contract)) {
    expect(text, path).toMatch(
      new RegExp(`^(#{3,4} ${name}$|\\| \`${name}\` \\||.*\`${name}\`: )`, "m"),
    );
  }
  const anchors = [...text.matchAll(/^#+ (\w+)$/gm)].map(([, name]) => `#${name?.toLowerCase()}`);
  const targets = [...text.matchAll(/\]\(([^)]+)\)/g)].map(([, target = ""]) => target);
  expect(targets.length).toBeGreaterThan(40);
  const leadsNowhere = (target: string) =>
    target.startsWith("#") ? !anchors.includes(target) : !existsSync(`${root}docs/${target}`);
  expect(targets.filter(leadsNowhere)).toEqual([]);
});
