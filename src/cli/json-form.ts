import { readFileSync } from "node:fs";
import { createFileRegistry, fromBinary, type JsonValue, toJson } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { packageFile } from "../server/package-files.js";

/**
 * An encoded message in the JSON form that docs/protocol.md describes, with the proto's own field
 * names; the contract itself says how.
 * @param type such as `claw.chat.v1.ConnectRequest`
 */
export function jsonForm(type: string, bytes: Uint8Array): JsonValue {
  const contract = readFileSync(packageFile("gen/descriptor.binpb"));
  const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, contract));
  const schema = registry.getMessage(type);
  if (schema === undefined) throw new Error(`the contract has no ${type}`);
  return toJson(schema, fromBinary(schema, bytes), { registry, useProtoFieldName: true });
}
