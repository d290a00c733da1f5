"""A provider: tells the weather to whoever asks, until SIGINT or SIGTERM."""

import os
import queue
import random
import signal
import sys
import time

import grpc

from claw.chat.v1 import chat_hub_pb2 as pb
from claw.chat.v1.chat_hub_pb2_grpc import ChatHubStub

HUB = os.environ.get("CLAW_HUB", "localhost:8765")
AGENT = os.environ.get("CLAW_AGENT", "weather-provider")
SERVICE = os.environ.get("CLAW_SERVICE", "weather-svc")
METADATA = [("claw-agent-id", AGENT), ("claw-receive", "manual")]
if key := os.environ.get("CLAW_API_KEY"):
    METADATA.append(("authorization", f"Bearer {key}"))
# gRPC notices a hub that is gone without a word, and connects again with growing, random pauses.
OPTIONS = [("grpc.keepalive_time_ms", 15_000), ("grpc.max_reconnect_backoff_ms", 5_000)]
# After these it is worth coming back; any other status would only come again.
PASSING = {"UNAVAILABLE", "RESOURCE_EXHAUSTED", "INTERNAL", "UNKNOWN", "CANCELLED"}

Entry = pb.ChatRequest | pb.ChatMessage | pb.ChatReject | pb.ChatEnd


def answer(entry: Entry, is_new: bool) -> pb.ConnectRequest:
    """Handles an entry. Its ack goes with the answer: both are stored, or neither is."""
    position = pb.ChannelPosition(channel_id=entry.channel_id, seq=entry.seq)
    request = pb.ConnectRequest(acks=[position])
    if isinstance(entry, pb.ChatRequest):
        if is_new:
            print(f"{entry.consumer_id} asks: {entry.content}", flush=True)
        request.chat_accept.channel_id = entry.channel_id
        request.chat_accept.content = "Which city?"
    elif isinstance(entry, pb.ChatMessage):
        if is_new:
            print(f"{entry.sender_id} says: {entry.content}", flush=True)
        request.chat_message.channel_id = entry.channel_id
        request.chat_message.content = f"{entry.content}: sunny, 25 °C"
        request.chat_message.reply_to = entry.message_id
        # One question, one id: however often it is answered, the answer is stored once.
        request.chat_message.message_id = f"answer-{entry.channel_id}-{entry.seq}"
    return request


def main() -> None:
    stub = ChatHubStub(grpc.insecure_channel(HUB, OPTIONS))
    service = pb.Service(service_id=SERVICE, description="Tells the weather of a city")
    seen: dict[str, int] = {}
    ready = False
    while True:
        # gRPC sends what is put into the outbox from a thread of its own.
        outbox: queue.SimpleQueue[pb.ConnectRequest | None] = queue.SimpleQueue()
        try:
            session = stub.Connect(iter(outbox.get, None), metadata=METADATA, wait_for_ready=True)
            for response in session:
                kind = response.WhichOneof("frame")
                frame = getattr(response, kind or "receipts")
                if kind == "session_started":
                    stub.RegisterService(
                        pb.RegisterServiceRequest(service=service), metadata=METADATA
                    )
                    if not ready:
                        print("ready", flush=True)
                    ready = True
                elif kind == "go_away" and frame.reconnect:
                    time.sleep(frame.reconnect_after.ToTimedelta().total_seconds())
                    break
                elif kind == "go_away":
                    sys.exit(f"{frame.reason}: {frame.message}")
                elif kind == "error":
                    print(f"{frame.reason}: {frame.message}", file=sys.stderr)
                    if frame.retryable:
                        break
                elif kind in ("chat_request", "chat_message", "chat_reject", "chat_end"):
                    # What had no receipt when a session ended was not acknowledged either: it
                    # comes again, and is answered again under the same id, but not handled twice.
                    is_new = frame.seq > seen.get(frame.channel_id, 0)
                    seen[frame.channel_id] = max(frame.seq, seen.get(frame.channel_id, 0))
                    outbox.put(answer(frame, is_new))
        except grpc.RpcError as error:
            if error.code().name not in PASSING:
                sys.exit(error.details())
        finally:
            outbox.put(None)
        time.sleep(random.random())


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: sys.exit())
    main()
