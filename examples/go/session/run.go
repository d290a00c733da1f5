// Package session keeps an agent in touch with the hub, over as many streams as it takes.
package session

import (
	"cmp"
	"context"
	"os"
	"os/signal"
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

// Service is what the conversation is about.
var Service = cmp.Or(os.Getenv("CLAW_SERVICE"), "weather-svc")

// Run opens session after session, and returns nil when the side is done, or after SIGINT or SIGTERM.
func Run(agent string, side Side) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	agent = cmp.Or(os.Getenv("CLAW_AGENT"), agent)
	ctx = metadata.AppendToOutgoingContext(ctx, "claw-agent-id", agent, "claw-receive", "manual")
	if key := os.Getenv("CLAW_API_KEY"); key != "" {
		ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+key)
	}
	pauses := backoff.DefaultConfig
	pauses.MaxDelay = 5 * time.Second
	conn, err := grpc.NewClient(cmp.Or(os.Getenv("CLAW_HUB"), "localhost:8765"),
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: pauses, MinConnectTimeout: 5 * time.Second}),
		// Pings notice a hub that is gone without a word.
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 15 * time.Second}))
	if err != nil {
		return err
	}
	defer conn.Close()
	for {
		pause, err := hold(ctx, chat.NewChatHubClient(conn), side)
		if ctx.Err() != nil || err == ErrDone {
			return nil
		}
		switch status.Code(err) {
		case codes.OK, codes.Unavailable, codes.ResourceExhausted, codes.Internal, codes.Canceled:
		default: // it would only be said again
			return err
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}
