import type { Server } from "@grpc/grpc-js";
import { HealthImplementation } from "grpc-health-check";
import { boundedServer } from "./bounded-server.js";

const HUB = "claw.chat.v1.ChatHub";
/** No service has this name, so the answer to it is that of every unknown name. */
const UNKNOWN = "unknown";

/**
 * Serves grpc.health.v1 for the hub, which serves from now on.
 *
 * The library keeps every name that anybody ever watched, so names that are not there are all
 * made one before it sees them.
 */
export function addHealth(server: Server): HealthImplementation {
  const health = new HealthImplementation({ "": "SERVING", [HUB]: "SERVING" });
  health.addToServer(
    boundedServer(server, (request) => {
      const { service } = request as { service: string };
      return { service: service === "" || service === HUB ? service : UNKNOWN };
    }),
  );
  return health;
}

/** Says to everybody who asks or watches that the hub takes nothing new (L2). */
export function stopServing(health: HealthImplementation): void {
  for (const name of ["", HUB]) health.setStatus(name, "NOT_SERVING");
}
