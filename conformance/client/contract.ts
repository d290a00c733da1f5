import { type DescMessage, fromBinary, type JsonObject, toJson } from "@bufbuild/protobuf";
import type { ServiceDefinition } from "@grpc/grpc-js";
import { encode, METHODS } from "../hub/contract.ts";

export type { JsonObject, JsonValue } from "@bufbuild/protobuf";

/** A response in the JSON form, and bytes behind it that the contract does not know. */
export interface Said {
  json: JsonObject;
  unknown?: Uint8Array;
}

/**
 * The service for grpc-js, from the descriptors that any third party has: requests come as JSON,
 * without their empty fields, and responses go as `Said`.
 */
export function chatHubDefinition(): ServiceDefinition {
  const methods = [...METHODS].filter(([, { path }]) => path.includes(".ChatHub/"));
  return Object.fromEntries(
    methods.map(([name, { path, request, response }]) => [
      `${name.charAt(0).toLowerCase()}${name.slice(1)}`,
      {
        path,
        requestStream: name === "Connect",
        responseStream: name === "Connect",
        requestSerialize: (json: JsonObject) => Buffer.from(encode(request, json)),
        requestDeserialize: (bytes: Buffer) => decode(request, bytes),
        responseSerialize: ({ json, unknown = new Uint8Array() }: Said) =>
          Buffer.concat([encode(response, json), unknown]),
        responseDeserialize: (bytes: Buffer) => decode(response, bytes),
      },
    ]),
  );
}

function decode(schema: DescMessage, bytes: Uint8Array): JsonObject {
  return toJson(schema, fromBinary(schema, bytes)) as JsonObject;
}
