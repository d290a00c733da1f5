import type { Command } from "commander";
import { listServicesRequest, serviceOf } from "../client/to-wire.js";
import type { ServiceOffer } from "../client/vocabulary.js";
import {
  ListServicesRequest,
  RegisterServiceRequest,
  UnregisterServiceRequest,
} from "../protocol/wire.js";
import { agentAction, as, collect, newCommand } from "./command.js";
import { EXIT } from "./exit.js";
import { print, printJson, printTable } from "./output.js";
import { callOf, LONGEST_PAGE, ONE_PAGE } from "./outside-call.js";
import { printable } from "./printable.js";
import { number } from "./setting-kinds.js";
import type { Environment } from "./settings.js";
import { AGENT_SETTINGS } from "./settings.js";
import { withClient } from "./with-client.js";

interface RegisterFlags {
  service: string;
  description?: string;
  tag?: string[];
  auto?: boolean;
  maxActiveChats?: number;
  allow?: string[];
}

/** `claw-chat register`: offers a service. */
export function registerCommand(env: Environment): Command {
  const command = newCommand({
    name: "register",
    summary: "Offer a service, or update one that you offer.",
    settings: AGENT_SETTINGS,
    examples: [
      'register --agent weather-provider --service weather --description "Forecasts" --tag weather',
      "register --agent echo --service echo --auto --max-active-chats 10",
      "register --agent ledger --service ledger --allow 'accounting-*' --allow auditor",
    ],
  })
    .requiredOption("--service <id>", "the service's name, unique in the hub")
    .option("--description <text>", "what it does, for people and models")
    .option("--tag <word>", "a word to find it by; may be given several times", collect)
    .option("--auto", "the hub accepts every request at once in your name")
    .option("--max-active-chats <n>", "chats at once; 0: no limit", as(chatLimit))
    .option(
      "--allow <pattern>",
      "who may find it and ask: an id, or a pattern such as weather-*; may be given several times",
      collect,
    );
  return agentAction<RegisterFlags>(command, env, async ({ settings, options, printInstead }) => {
    const offer: ServiceOffer = {
      serviceId: options.service,
      acceptPolicy: options.auto ? "auto" : "manual",
      ...(options.description === undefined ? {} : { description: options.description }),
      ...(options.tag === undefined ? {} : { tags: options.tag }),
      ...(options.maxActiveChats === undefined ? {} : { maxActiveChats: options.maxActiveChats }),
      ...(options.allow === undefined ? {} : { allowedConsumers: options.allow }),
    };
    if (printInstead) {
      const request = RegisterServiceRequest.encode({ service: serviceOf(offer) });
      return printInstead(callOf("RegisterService", request.finish()));
    }
    const service = await withClient(settings, (client) => client.registerService(offer));
    if (settings.json) await printJson(service);
    else await print(`${printable(service.providerId)} offers ${printable(service.serviceId)}.`);
    return EXIT.ok;
  });
}

const chatLimit = number({ placeholder: "n", least: 0, most: 0xffff_ffff, whole: true });

/** `claw-chat unregister`: withdraws a service. */
export function unregisterCommand(env: Environment): Command {
  const command = newCommand({
    name: "unregister",
    summary: "Withdraw a service. Pending requests are rejected; active chats go on.",
    settings: AGENT_SETTINGS,
    examples: ["unregister --agent weather-provider --service weather"],
  }).requiredOption("--service <id>", "the service to withdraw");
  return agentAction<{ service: string }>(
    command,
    env,
    async ({ settings, options, printInstead }) => {
      if (printInstead) {
        const request = UnregisterServiceRequest.encode({ serviceId: options.service });
        return printInstead(callOf("UnregisterService", request.finish()));
      }
      await withClient(settings, (client) => client.unregisterService(options.service));
      if (settings.json) await printJson({ serviceId: options.service, unregistered: true });
      else await print(`${options.service} is withdrawn.`);
      return EXIT.ok;
    },
  );
}

interface ServicesFlags {
  tag?: string[];
  provider?: string;
  online?: boolean;
}

/** `claw-chat services`: finds services. */
export function servicesCommand(env: Environment): Command {
  const command = newCommand({
    name: "services",
    summary: "Find services. Every word, tag and filter given must fit.",
    settings: AGENT_SETTINGS,
    examples: ["services --agent alice", "services --agent alice weather berlin --online --json"],
  })
    .argument("[words...]", "words in the id, the description or the tags")
    .option("--tag <word>", "only with this tag; may be given several times", collect)
    .option("--provider <agent>", "only of this agent")
    .option("--online", "only those whose provider is connected");
  return agentAction<ServicesFlags>(command, env, async (call) => {
    const { settings, options, words, printInstead } = call;
    const filter = {
      ...(words.length === 0 ? {} : { query: words.join(" ") }),
      ...(options.tag === undefined ? {} : { tags: options.tag }),
      ...(options.provider === undefined ? {} : { providerId: options.provider }),
      ...(options.online ? { onlineOnly: true } : {}),
    };
    if (printInstead) {
      const request = ListServicesRequest.encode(listServicesRequest(filter, LONGEST_PAGE));
      return printInstead(callOf("ListServices", request.finish()), [ONE_PAGE]);
    }
    const rows: string[][] = [];
    await withClient(settings, async (client) => {
      for await (const service of client.listServices(filter)) {
        if (settings.json) await printJson(service);
        else {
          const online = service.providerOnline ? "yes" : "no";
          const tags = service.tags.join(" ");
          rows.push([service.serviceId, service.providerId, online, tags, service.description]);
        }
      }
    });
    if (settings.json) return EXIT.ok;
    if (rows.length === 0) await print("No service fits.");
    else await printTable(["SERVICE", "PROVIDER", "ONLINE", "TAGS", "DESCRIPTION"], rows);
    return EXIT.ok;
  });
}
