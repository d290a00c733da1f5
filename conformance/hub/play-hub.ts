import type { HubControl } from "./hub-under-test.ts";
import type { Stage } from "./stage.ts";
import type { Step } from "./transcript.ts";

/** Plays what is done to the hub itself. @throws Error when the runner cannot do it */
export async function playHub(stage: Stage, { verb, value, options }: Step): Promise<void> {
  const { control } = stage.hub;
  switch (verb) {
    case "stops":
      return can(control, "beginStop")();
    case "crashes":
      return can(control, "crash")();
    case "starts":
      await can(control, "stop")();
      return can(control, "start")();
    case "restarts":
      await can(control, "stop")();
      return can(control, "start")();
    case "creates key": {
      const {
        for: agents,
        role = "agent",
        expiresInS,
      } = stage.fill(value) as {
        for: string;
        role?: string;
        expiresInS?: number;
      };
      const expires =
        expiresInS === undefined ? "" : new Date(Date.now() + expiresInS * 1000).toISOString();
      const key = await can(control, "createKey")({ agents, role, expires });
      stage.variables.set(String(options.as), key);
      // `claw_` and 16 digits: what names a key, without what proves it.
      stage.variables.set(`${options.as}-id`, key.slice(0, 21));
      return;
    }
    case "revokes key":
      return can(control, "revokeKey")(String(stage.fill(value)));
    case "locks database":
      return can(control, "lock")();
    case "unlocks database":
      return can(control, "unlock")();
    default:
      throw new Error(`the hub cannot do this: ${verb}`);
  }
}

function can<Name extends keyof HubControl>(
  control: HubControl,
  name: Name,
): NonNullable<HubControl[Name]> {
  const does = control[name];
  if (does === undefined) throw new Error("the runner cannot do this to the hub");
  return does;
}
