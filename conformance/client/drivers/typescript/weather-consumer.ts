/** A consumer for the conformance kit, on the TypeScript client: asks for the weather of its cities. */
import { ChatClient } from "claw-chat-hub";

const { CLAW_HUB = "localhost:8765", CLAW_SERVICE = "weather-svc", CLAW_API_KEY } = process.env;
const cities = process.argv.slice(2);

const chat = new ChatClient({
  hubUrl: CLAW_HUB,
  agentId: process.env.CLAW_AGENT ?? "weather-consumer",
  ...(CLAW_API_KEY !== undefined && { apiKey: CLAW_API_KEY }),
});
const messages = chat.messages();
await chat.connect();
const answer = await chat.requestChat({ serviceId: CLAW_SERVICE, content: "The weather, please" });
if (answer.status === "accepted") {
  const { channelId } = answer;
  await chat.sendMessage({ channelId, content: cities.shift() ?? "" });
  for await (const message of messages) {
    console.log(`${message.senderId} says: ${message.content}`);
    const city = cities.shift();
    if (city === undefined) {
      message.ack();
      break;
    }
    await chat.sendMessage({ channelId, content: city });
  }
  await chat.endChat({ channelId, code: "completed" });
} else {
  console.log(`rejected: ${answer.reason}`);
  process.exitCode = 1;
}
await chat.disconnect();
