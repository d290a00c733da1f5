// A consumer: asks for the weather of the cities it is given, one after the other.
package main

import (
	"cmp"
	"context"
	cryptorand "crypto/rand"
	"errors"
	"fmt"
	"log"
	"math/rand/v2"
	"os"
	"os/signal"
	"slices"
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

// The cities that are still to be asked about.
var cities = os.Args[1:]

// What was said last: each session begins with it.
var said *chat.ConnectRequest

// The newest entry that was handled. It names no channel until it is known which is ours.
var handled = &chat.ChannelPosition{}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	agent := cmp.Or(os.Getenv("CLAW_AGENT"), "weather-consumer")
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
	if len(cities) == 0 {
		cities = []string{"Beijing"}
	}
	service := cmp.Or(os.Getenv("CLAW_SERVICE"), "weather-svc")
	ask := &chat.ChatRequest{ServiceId: service, Content: "The weather, please", IdempotencyKey: cryptorand.Text()}
	said = &chat.ConnectRequest{Frame: &chat.ConnectRequest_ChatRequest{ChatRequest: ask}}
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

// holdSession says again what was said last, and goes on from there. It tells how long the hub asks to stay away.
func holdSession(ctx context.Context, hub chat.ChatHubClient) (time.Duration, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	// While the hub is away, gRPC waits longer and longer between its attempts to connect.
	stream, err := hub.Connect(ctx, grpc.WaitForReady(true))
	if err != nil {
		return 0, err
	}
	// It may have got no receipt; where it has, the hub knows it and stores it once. gRPC writes in a
	// goroutine of its own. Where Send fails, Recv says why.
	_ = stream.Send(said)
	for {
		response, err := stream.Recv()
		if err != nil {
			return 0, err
		}
		goAway, refused := response.GetGoAway(), response.GetError()
		if goAway.GetReconnect() || refused.GetRetryable() {
			return goAway.GetReconnectAfter().AsDuration() + refused.GetRetryAfter().AsDuration(), nil
		}
		if goAway != nil || refused != nil {
			return 0, errors.New(goAway.GetMessage() + refused.GetMessage())
		}
		if handled.ChannelId == "" && len(response.Receipts) > 0 {
			// Now it is known which chat is ours. An answer that was here before that has not been
			// acknowledged: another session brings it again.
			handled.ChannelId = response.Receipts[0].ChannelId
			return 0, nil
		}
		if said.GetChatEnd() != nil && len(response.Receipts) > 0 && response.Receipts[0].Seq > handled.Seq {
			history := &chat.ChatHistory{ChannelId: handled.ChannelId}
			said = &chat.ConnectRequest{Frame: &chat.ConnectRequest_ChatHistory{ChatHistory: history}}
			_ = stream.Send(said)
		}
		if accept := response.GetChatAccept(); accept != nil {
			hear(accept.ChannelId, accept.Seq, "accepted", stream)
		}
		if message := response.GetChatMessage(); message != nil {
			hear(message.ChannelId, message.Seq, message.SenderId+" says: "+message.Content, stream)
		}
		if reject := response.GetChatReject(); reject != nil && reject.ChannelId == handled.ChannelId {
			fmt.Println("rejected: " + reject.Reason)
			os.Exit(1)
		}
		if end := response.GetChatEnd(); end != nil && end.ChannelId == handled.ChannelId {
			return 0, errors.New("the provider has ended the chat")
		}
		if history := response.GetChatHistory(); history != nil {
			fmt.Println(len(history.Messages), "messages are kept")
			os.Exit(0)
		}
	}
}

// hear prints a line for an entry of this chat that is no repeat, and says what follows. The ack
// goes along: both are stored, or neither is.
func hear(channelID string, seq uint64, line string, stream chat.ChatHub_ConnectClient) {
	if channelID != handled.ChannelId || seq <= handled.Seq {
		return
	}
	fmt.Println(line)
	handled.Seq = seq
	said = &chat.ConnectRequest{Acks: []*chat.ChannelPosition{handled}}
	if len(cities) > 0 {
		message := &chat.ChatMessage{ChannelId: channelID, MessageId: cryptorand.Text(), Content: cities[0]}
		said.Frame = &chat.ConnectRequest_ChatMessage{ChatMessage: message}
		cities = cities[1:]
	} else {
		end := &chat.ChatEnd{ChannelId: channelID, Code: chat.EndCode_END_CODE_COMPLETED}
		said.Frame = &chat.ConnectRequest_ChatEnd{ChatEnd: end}
	}
	_ = stream.Send(said)
}
