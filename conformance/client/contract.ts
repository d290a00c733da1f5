import { readFileSync } from "node:fs";
import {
  createFileRegistry,
  type DescMessage,
  fromBinary,
  fromJson,
  type JsonObject,
  toBinary,
  toJson,
} from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import type { ServiceDefinition } from "@grpc/grpc-js";

export type { JsonObject, JsonValue } from "@bufbuild/protobuf";

/** The contract as any third party has it: the descriptors that come with the package. */
const DESCRIPTORS = new URL("../../gen/descriptor.binpb", import.meta.url);
const SERVICE = "claw.chat.v1.ChatHub";

/** A response in the JSON form, and bytes behind it that the contract does not know. */
export interface Said {
  json: JsonObject;
  unknown?: Uint8Array;
}

/** The service for grpc-js: requests come as JSON, responses go as `Said`. */
export function chatHubDefinition(): ServiceDefinition {
  const set = fromBinary(FileDescriptorSetSchema, readFileSync(DESCRIPTORS));
  const service = createFileRegistry(set).getService(SERVICE);
  if (service === undefined) throw new Error(`${DESCRIPTORS} has no service ${SERVICE}`);
  const methods = service.methods.map((method) => [
    method.localName,
    {
      path: `/${SERVICE}/${method.name}`,
      requestStream: method.methodKind === "bidi_streaming",
      responseStream: method.methodKind === "bidi_streaming",
      requestSerialize: (json: JsonObject) => encode(method.input, { json }),
      requestDeserialize: (bytes: Buffer) => decode(method.input, bytes),
      responseSerialize: (said: Said) => encode(method.output, said),
      responseDeserialize: (bytes: Buffer) => decode(method.output, bytes),
    },
  ]);
  return Object.fromEntries(methods);
}

function encode(schema: DescMessage, { json, unknown = new Uint8Array() }: Said): Buffer {
  return Buffer.concat([toBinary(schema, fromJson(schema, json)), unknown]);
}

function decode(schema: DescMessage, bytes: Uint8Array): JsonObject {
  return toJson(schema, fromBinary(schema, bytes)) as JsonObject;
}
