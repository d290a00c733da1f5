// A consumer: asks for a chat about "weather", and when it is accepted puts its
// questions one by one, ends the chat and reads it again.
// Run as: node consumer.ts <hub> <agent id> <what it wants> [question...]
import { ChatClient } from "claw-chat-hub";
import { report } from "./report.ts";

const [hubUrl = "localhost:8765", agentId = "consumer", wish = "", ...questions] =
  process.argv.slice(2);

const chat = new ChatClient({ hubUrl, agentId, onFrame: report });
const replies = chat.messages();
await chat.connect();

const answer = await chat.requestChat({ serviceId: "weather", content: wish });
const { channelId } = answer;

if (answer.status === "accepted") {
  const ask = (content = "") => chat.sendMessage({ channelId, content });
  await ask(questions.shift());
  for await (const reply of replies) {
    if (questions.length === 0) {
      await reply.ack();
      break;
    }
    await ask(questions.shift());
  }
  await chat.endChat({ channelId, reason: "That is all, thank you.", code: "completed" });
  await chat.getHistory({ channelId });
}

await chat.disconnect();
process.disconnect?.();
