/** A provider for the conformance kit, on the TypeScript client: tells the weather until SIGTERM. */
import { ChatClient } from "claw-chat-hub";

const { CLAW_HUB = "localhost:8765", CLAW_SERVICE = "weather-svc", CLAW_API_KEY } = process.env;

const chat = new ChatClient({
  hubUrl: CLAW_HUB,
  agentId: process.env.CLAW_AGENT ?? "weather-provider",
  ...(CLAW_API_KEY !== undefined && { apiKey: CLAW_API_KEY }),
});
chat.listen({
  async request(request) {
    console.log(`${request.consumerId} asks: ${request.content}`);
    await request.accept({ content: "Which city?" });
  },
  async message(message) {
    console.log(`${message.senderId} says: ${message.content}`);
    await message.reply(`${message.content}: sunny, 25 °C`);
  },
  end() {},
});
process.once("SIGTERM", () => chat.disconnect());
endWhenSentAway();
await chat.connect();
await chat.registerService({ serviceId: CLAW_SERVICE, description: "The weather of a city" });
console.log("ready");

async function endWhenSentAway(): Promise<void> {
  for await (const event of chat.connection()) {
    if (event.state === "superseded") process.exitCode = 1;
  }
}
