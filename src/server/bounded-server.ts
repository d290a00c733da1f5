import type {
  Server,
  ServiceDefinition,
  UntypedHandleCall,
  UntypedServiceImplementation,
} from "@grpc/grpc-js";

/**
 * A server to hand to libraries that bring services of their own: they answer whatever comes as
 * fast as it comes. Through this, a stream that does not take its answers is not read on.
 * @param request changes a decoded request before the handler sees it
 */
export function boundedServer(
  server: Server,
  request: (request: unknown) => unknown = (decoded) => decoded,
): Server {
  const addService: Server["addService"] = (definition, implementation) =>
    server.addService(changedDefinition(definition, request), boundedHandlers(implementation));
  return Object.assign(Object.create(server) as Server, { addService });
}

function changedDefinition(
  definition: ServiceDefinition,
  request: (request: unknown) => unknown,
): ServiceDefinition {
  return Object.fromEntries(
    Object.entries(definition).map(([name, method]) => [
      name,
      {
        ...method,
        requestDeserialize: (bytes: Buffer): unknown => request(method.requestDeserialize(bytes)),
      },
    ]),
  );
}

function boundedHandlers(
  implementation: UntypedServiceImplementation,
): UntypedServiceImplementation {
  return Object.fromEntries(
    Object.entries(implementation).map(([name, handle]) => [name, bounded(handle)]),
  );
}

function bounded(handle: UntypedHandleCall): UntypedHandleCall {
  return (call: object, ...rest: unknown[]) => {
    if (isDuplex(call)) pauseWhileFull(call);
    Reflect.apply(handle, undefined, [call, ...rest]);
  };
}

interface Duplex {
  write(chunk: unknown): boolean;
  pause(): unknown;
  resume(): unknown;
  once(event: "drain", listener: () => void): unknown;
}

function isDuplex(call: object): call is Duplex {
  return "write" in call && "pause" in call;
}

function pauseWhileFull(stream: Duplex): void {
  const write = stream.write.bind(stream);
  stream.write = (chunk) => {
    const writable = write(chunk);
    if (!writable) {
      stream.pause();
      stream.once("drain", () => stream.resume());
    }
    return writable;
  };
}
