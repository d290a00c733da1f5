"""A consumer: asks for the weather of the cities it is given, one after the other."""

import os
import queue
import random
import signal
import sys
import time
from uuid import uuid4

import grpc

from claw.chat.v1 import chat_hub_pb2 as pb
from claw.chat.v1.chat_hub_pb2_grpc import ChatHubStub

HUB = os.environ.get("CLAW_HUB", "localhost:8765")
SERVICE = os.environ.get("CLAW_SERVICE", "weather-svc")
AGENT = os.environ.get("CLAW_AGENT", "weather-consumer")
METADATA = [("claw-agent-id", AGENT), ("claw-receive", "manual")]
if key := os.environ.get("CLAW_API_KEY"):
    METADATA.append(("authorization", f"Bearer {key}"))
# gRPC notices a hub that is gone without a word, and connects again with growing, random pauses.
OPTIONS = [("grpc.keepalive_time_ms", 15_000), ("grpc.max_reconnect_backoff_ms", 5_000)]
# After these it is worth coming back; any other status would only come again.
PASSING = {"UNAVAILABLE", "RESOURCE_EXHAUSTED", "INTERNAL", "UNKNOWN", "CANCELLED"}


def next_words(entry: pb.ChatAccept | pb.ChatMessage, cities: list[str]) -> pb.ConnectRequest:
    """Handles an entry. Its ack goes with what is said next: both are stored, or neither is."""
    accepted = isinstance(entry, pb.ChatAccept)
    print("accepted" if accepted else f"{entry.sender_id} says: {entry.content}", flush=True)
    if cities:
        message = pb.ChatMessage(channel_id=entry.channel_id, content=cities.pop(0))
        message.message_id = str(uuid4())
        words = pb.ConnectRequest(chat_message=message)
    else:
        end = pb.ChatEnd(channel_id=entry.channel_id, code=pb.END_CODE_COMPLETED)
        words = pb.ConnectRequest(request_id="end", chat_end=end)
    words.acks.add(channel_id=entry.channel_id, seq=entry.seq)
    return words


def main() -> None:
    stub = ChatHubStub(grpc.insecure_channel(HUB, OPTIONS))
    cities = sys.argv[1:] or ["Beijing"]
    ask = pb.ChatRequest(service_id=SERVICE, content="The weather, please")
    ask.idempotency_key = str(uuid4())
    said = pb.ConnectRequest(chat_request=ask)
    channel_id, handled = "", 0
    while True:
        # A session begins with what was said last: it may have got no receipt, and where it has,
        # the hub knows it. gRPC sends from the outbox in a thread of its own.
        outbox: queue.SimpleQueue[pb.ConnectRequest | None] = queue.SimpleQueue()
        outbox.put(said)
        try:
            session = stub.Connect(iter(outbox.get, None), metadata=METADATA, wait_for_ready=True)
            for response in session:
                kind = response.WhichOneof("frame")
                frame = getattr(response, kind or "receipts")
                if kind == "go_away" and frame.reconnect:
                    time.sleep(frame.reconnect_after.ToTimedelta().total_seconds())
                    break
                if kind == "error" and frame.retryable:
                    break
                if kind in ("go_away", "error"):
                    sys.exit(f"{frame.reason}: {frame.message}")
                if kind == "chat_history":
                    return print(f"{len(frame.messages)} messages are kept")
                if response.receipts and not channel_id:
                    # Now it is known which chat is ours. An answer that was here before that
                    # was not acknowledged: another session brings it again.
                    channel_id = response.receipts[0].channel_id
                    break
                if "end" in [receipt.request_id for receipt in response.receipts]:
                    said = pb.ConnectRequest(chat_history=pb.ChatHistory(channel_id=channel_id))
                    outbox.put(said)
                if getattr(frame, "seq", 0) <= handled or frame.channel_id != channel_id:
                    continue
                handled = frame.seq
                if kind in ("chat_reject", "chat_end"):
                    print(f"rejected: {frame.reason}")
                    sys.exit(1)
                said = next_words(frame, cities)
                outbox.put(said)
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
