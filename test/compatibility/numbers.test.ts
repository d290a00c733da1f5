import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { FIRST_HUB_CODE } from "../../src/protocol/limits.js";
import { keptContract } from "../upgrades/kept-contract.js";
import { doctoredContract } from "./doctored-contract.js";

const root = new URL("../../", import.meta.url);
const today = keptContract(readFileSync(new URL("gen/descriptor.binpb", root)));

test("frames of a request, and nothing else in it, have numbers from 10 to 29", () => {
  const fields = today.registry.getMessage("claw.chat.v1.ConnectRequest")?.fields ?? [];
  expect(fields.length).toBeGreaterThan(6);
  const wrong = fields.filter(({ number, oneof }) => {
    return (number >= 10 && number <= 29) !== (oneof?.name === "frame");
  });
  expect(wrong.map(({ name }) => name)).toEqual([]);
});

test("docs/compatibility.md names the first code that is for hubs alone", () => {
  const text = readFileSync(new URL("docs/compatibility.md", root), "utf8");
  expect(text).toContain(`are numbered from ${FIRST_HUB_CODE}, the agents' own below`);
  expect(text).toContain(`such a code from ${FIRST_HUB_CODE} on`);
});

test("the doctored contract has something new in every message with fields that hub and client send", () => {
  const later = doctoredContract();
  const unchanged = [...today.registry].flatMap((type) => {
    if (type.kind !== "message" && type.kind !== "enum") return [];
    if (!type.typeName.startsWith("claw.chat.v1.")) return [];
    const size = (of: typeof today) => {
      const found = of.registry.getMessage(type.typeName) ?? of.registry.getEnum(type.typeName);
      return found?.kind === "message" ? found.fields.length : found?.values.length;
    };
    return size(later) === size(today) ? [type.name] : [];
  });
  // Requests and pages around what is new, and positions.
  const around = /Request$|Response$|^ChatHistory|Position$|^ChannelProgress$/;
  expect(unchanged.filter((name) => !around.test(name))).toEqual([]);
});
