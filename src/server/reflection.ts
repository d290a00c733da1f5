import { readFileSync } from "node:fs";
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import type { Server } from "@grpc/grpc-js";
import { ReflectionService } from "@grpc/reflection";
import { boundedServer } from "./bounded-server.js";
import { packageFile } from "./package-files.js";

/** Descriptors of everything the hub serves, made by `npm run generate`. */
const DESCRIPTOR_SETS = ["gen/descriptor.binpb", "gen/health.binpb"];

/**
 * Lets tools such as grpcurl ask the hub for its contract, in reflection v1 and
 * v1alpha. It is fed with buf's descriptors: from proto-loader's it would lose
 * the imports.
 */
export function addReflection(server: Server): void {
  const files = DESCRIPTOR_SETS.flatMap((name) => {
    const set = fromBinary(FileDescriptorSetSchema, readFileSync(packageFile(name)));
    return set.file.map((file) => Buffer.from(toBinary(FileDescriptorProtoSchema, file)));
  });
  // The reflection service reads the descriptors alone; the format only satisfies its types.
  const format = "Protocol Buffer 3 EnumDescriptorProto" as const;
  new ReflectionService({ hub: { format, type: {}, fileDescriptorProtos: files } }).addToServer(
    boundedServer(server),
  );
}
