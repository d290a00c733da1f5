// A provider: tells the weather to whoever asks, until SIGINT or SIGTERM.
package main

import (
	"context"
	"fmt"
	"log"
	"sync"

	chat "claw.chat/examples/weather/chatv1"
	"claw.chat/examples/weather/session"
)

type provider struct {
	ready func()
	seen  map[string]uint64 // by channel, the seq of the newest entry that was handled
}

func main() {
	ready := sync.OnceFunc(func() { fmt.Println("ready") })
	if err := session.Run("weather-provider", &provider{ready, map[string]uint64{}}); err != nil {
		log.Fatal(err)
	}
}

func (p *provider) Begin(ctx context.Context, hub chat.ChatHubClient, _ chan<- *chat.ConnectRequest) error {
	service := &chat.Service{ServiceId: session.Service, Description: "Tells the weather of a city"}
	_, err := hub.RegisterService(ctx, &chat.RegisterServiceRequest{Service: service})
	if err == nil {
		p.ready()
	}
	return err
}

func (p *provider) Hear(response *chat.ConnectResponse, outbox chan<- *chat.ConnectRequest) error {
	switch frame := response.Frame.(type) {
	case *chat.ConnectResponse_ChatRequest:
		asked := frame.ChatRequest
		answer := p.handle(asked, asked.ConsumerId+" asks: "+asked.Content+"\n")
		accept := &chat.ChatAccept{ChannelId: asked.ChannelId, Content: "Which city?"}
		answer.Frame = &chat.ConnectRequest_ChatAccept{ChatAccept: accept}
		outbox <- answer
	case *chat.ConnectResponse_ChatMessage:
		said := frame.ChatMessage
		answer := p.handle(said, said.SenderId+" says: "+said.Content+"\n")
		answer.Frame = &chat.ConnectRequest_ChatMessage{ChatMessage: &chat.ChatMessage{
			ChannelId: said.ChannelId,
			// One question, one id: however often it is answered, the answer is stored once.
			MessageId: fmt.Sprintf("answer-%s-%d", said.ChannelId, said.Seq),
			Content:   said.Content + ": sunny, 25 °C",
			ReplyTo:   said.MessageId,
		}}
		outbox <- answer
	case *chat.ConnectResponse_ChatEnd:
		outbox <- p.handle(frame.ChatEnd, "")
	case *chat.ConnectResponse_Error:
		log.Printf("%s: %s", frame.Error.Reason, frame.Error.Message)
	}
	return nil
}

// handle prints what an entry says, unless it is a repeat, and returns its ack. The answer goes
// along, so both are stored or neither is: what may have got no answer comes again.
func (p *provider) handle(entry session.Entry, line string) *chat.ConnectRequest {
	if entry.GetSeq() > p.seen[entry.GetChannelId()] {
		p.seen[entry.GetChannelId()] = entry.GetSeq()
		fmt.Print(line)
	}
	return session.Ack(entry)
}
