package session

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"google.golang.org/grpc"

	chat "claw.chat/examples/weather/chatv1"
)

// Side is one side of a conversation. What it puts into an outbox is sent.
type Side interface {
	// Begin is called at the start of each session.
	Begin(ctx context.Context, hub chat.ChatHubClient, outbox chan<- *chat.ConnectRequest) error
	// Hear is called with what the hub says.
	Hear(response *chat.ConnectResponse, outbox chan<- *chat.ConnectRequest) error
}

// ErrDone says that the conversation is over, ErrAgain that it goes on in another session.
var ErrDone, ErrAgain = errors.New("done"), errors.New("again")

// hold holds one session, and tells how long to wait before the next.
func hold(ctx context.Context, hub chat.ChatHubClient, side Side) (time.Duration, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	pause := rand.N(time.Second)
	// While the hub is away, gRPC waits longer and longer between its attempts to connect.
	stream, err := hub.Connect(ctx, grpc.WaitForReady(true))
	if err != nil {
		return pause, err
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
			return pause, err
		}
		switch frame := response.Frame.(type) {
		case *chat.ConnectResponse_SessionStarted:
			err = side.Begin(ctx, hub, outbox)
		case *chat.ConnectResponse_GoAway:
			if !frame.GoAway.Reconnect {
				return pause, errors.New(frame.GoAway.Message)
			}
			return frame.GoAway.ReconnectAfter.AsDuration(), nil
		default:
			err = side.Hear(response, outbox)
		}
		if err == ErrAgain || response.GetError().GetRetryable() {
			return pause, nil
		}
		if err != nil {
			return pause, err
		}
	}
}
