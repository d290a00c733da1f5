// A provider: tells the weather to whoever asks, until SIGINT or SIGTERM.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log"
	"math/rand/v2"
	"os"
	"os/signal"
	"slices"
	"sync"
	"syscall"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	chat "claw.chat/examples/weather/chatv1"
)

// After these it is worth coming back; any other status would only come again.
var passing = []codes.Code{codes.OK, codes.Unavailable, codes.ResourceExhausted, codes.Internal, codes.Canceled}

var ready = sync.OnceFunc(func() { fmt.Println("ready") })

// By channel, the seq of the newest entry that was handled.
var seen = map[string]uint64{}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	agent := cmp.Or(os.Getenv("CLAW_AGENT"), "weather-provider")
	ctx = metadata.AppendToOutgoingContext(ctx, "claw-agent-id", agent, "claw-receive", "manual")
	if key := os.Getenv("CLAW_API_KEY"); key != "" {
		ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+key)
	}
	pauses := backoff.Config{BaseDelay: time.Second, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 5 * time.Second}
	conn, err := grpc.NewClient(cmp.Or(os.Getenv("CLAW_HUB"), "localhost:8765"),
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: pauses, MinConnectTimeout: 5 * time.Second}),
		// Pings notice a hub that is gone without a word.
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 15 * time.Second}))
	if err != nil {
		log.Fatal(err)
	}
	for ctx.Err() == nil {
		pause, err := holdSession(ctx, chat.NewChatHubClient(conn))
		if !slices.Contains(passing, status.Code(err)) {
			log.Fatal(err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause + rand.N(time.Second)):
		}
	}
}

// holdSession offers the service and answers, and tells how long the hub asks to stay away.
func holdSession(ctx context.Context, hub chat.ChatHubClient) (time.Duration, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	// While the hub is away, gRPC waits longer and longer between its attempts to connect.
	stream, err := hub.Connect(ctx, grpc.WaitForReady(true))
	if err != nil {
		return 0, err
	}
	outbox := make(chan *chat.ConnectRequest, 1024) // as many as the hub lets be unacknowledged
	defer close(outbox)
	go func() {
		for request := range outbox {
			_ = stream.Send(request) // where this fails, Recv says why
		}
	}()
	for {
		response, err := stream.Recv()
		if err != nil {
			return 0, err
		}
		switch frame := response.Frame.(type) {
		case *chat.ConnectResponse_SessionStarted:
			id := cmp.Or(os.Getenv("CLAW_SERVICE"), "weather-svc")
			service := &chat.Service{ServiceId: id, Description: "Tells the weather of a city"}
			if _, err := hub.RegisterService(ctx, &chat.RegisterServiceRequest{Service: service}); err != nil {
				return 0, err
			}
			ready()
		case *chat.ConnectResponse_GoAway:
			if !frame.GoAway.Reconnect {
				return 0, errors.New(frame.GoAway.Message)
			}
			return frame.GoAway.ReconnectAfter.AsDuration(), nil
		case *chat.ConnectResponse_Error:
			log.Printf("%s: %s", frame.Error.Reason, frame.Error.Message)
			if frame.Error.Retryable {
				return frame.Error.RetryAfter.AsDuration(), nil
			}
		case *chat.ConnectResponse_ChatRequest:
			asked := frame.ChatRequest
			answer := handle(asked.ChannelId, asked.Seq, asked.ConsumerId+" asks: "+asked.Content+"\n")
			accept := &chat.ChatAccept{ChannelId: asked.ChannelId, Content: "Which city?"}
			answer.Frame = &chat.ConnectRequest_ChatAccept{ChatAccept: accept}
			outbox <- answer
		case *chat.ConnectResponse_ChatMessage:
			said := frame.ChatMessage
			answer := handle(said.ChannelId, said.Seq, said.SenderId+" says: "+said.Content+"\n")
			answer.Frame = &chat.ConnectRequest_ChatMessage{ChatMessage: &chat.ChatMessage{
				ChannelId: said.ChannelId,
				// One question, one id: however often it is answered, the answer is stored once.
				MessageId: fmt.Sprintf("answer-%s-%d", said.ChannelId, said.Seq),
				Content:   said.Content + ": sunny, 25 °C",
				ReplyTo:   said.MessageId,
			}}
			outbox <- answer
		case *chat.ConnectResponse_ChatReject: // the hub's own word, where nobody has answered in time
			outbox <- handle(frame.ChatReject.ChannelId, frame.ChatReject.Seq, "")
		case *chat.ConnectResponse_ChatEnd:
			outbox <- handle(frame.ChatEnd.ChannelId, frame.ChatEnd.Seq, "")
		}
	}
}

// handle prints what an entry says, unless it is a repeat, and returns its ack. The answer goes
// along, so both are stored or neither is: what may have got no answer comes again.
func handle(channelID string, seq uint64, line string) *chat.ConnectRequest {
	if seq > seen[channelID] {
		seen[channelID] = seq
		fmt.Print(line)
	}
	position := &chat.ChannelPosition{ChannelId: channelID, Seq: seq}
	return &chat.ConnectRequest{Acks: []*chat.ChannelPosition{position}}
}
