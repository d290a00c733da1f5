// A provider: offers the service "weather", declines what it cannot answer, and
// answers every message of the chats it accepted. Run as: node weather-provider.ts <hub>
import { ChatClient } from "claw-chat-hub";
import { report, reportService } from "./report.ts";

const FORECASTS = new Map([
  ["Berlin", "Berlin: sunny, 25 °C, a light wind from the west."],
  ["Oslo", "Oslo: rain until noon, then clear, 14 °C."],
]);

function forecast(question: string): string {
  const city = [...FORECASTS.keys()].find((name) => question.includes(name));
  return FORECASTS.get(city ?? "") ?? "I have stations in Berlin and Oslo only.";
}

const chat = new ChatClient({
  hubUrl: process.argv[2] ?? "localhost:8765",
  agentId: "weather-provider",
  onFrame: report,
});

// Listen first, then connect: the hub delivers what waited as soon as the session is there.
// An entry is acked when its handler has finished.
chat.listen({
  async request(request) {
    if (request.content.includes("tide")) {
      await request.reject({ reason: "I know the weather, not the tides.", code: "unsupported" });
    } else {
      await request.accept({ content: "Gladly. Which city?" });
    }
  },
  async message(message) {
    await message.reply(forecast(message.content));
  },
  end() {},
});

await chat.connect();
const service = await chat.registerService({
  serviceId: "weather",
  description: "Forecasts for Berlin and Oslo",
  tags: ["weather", "forecast"],
});
reportService(service);

// Runs until it is told to go: SIGTERM, as any service.
process.once("SIGTERM", async () => {
  await chat.disconnect();
  process.disconnect?.();
});
