// A consumer: asks for the weather of the cities it is given, one after the other.
package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log"
	"os"

	chat "claw.chat/examples/weather/chatv1"
	"claw.chat/examples/weather/session"
)

type consumer struct {
	cities    []string             // that are still to be asked about
	said      *chat.ConnectRequest // last: each session begins with it
	channelID string
	handled   uint64 // the seq of the newest entry that was
}

func main() {
	ask := &chat.ChatRequest{ServiceId: session.Service, Content: "The weather, please", IdempotencyKey: rand.Text()}
	said := &chat.ConnectRequest{Frame: &chat.ConnectRequest_ChatRequest{ChatRequest: ask}}
	cities := os.Args[1:]
	if len(cities) == 0 {
		cities = []string{"Beijing"}
	}
	if err := session.Run("weather-consumer", &consumer{cities: cities, said: said}); err != nil {
		log.Fatal(err)
	}
}

func (c *consumer) Begin(_ context.Context, _ chat.ChatHubClient, outbox chan<- *chat.ConnectRequest) error {
	// It may have got no receipt; where it has, the hub knows it and stores it once.
	outbox <- c.said
	return nil
}

func (c *consumer) Hear(response *chat.ConnectResponse, outbox chan<- *chat.ConnectRequest) error {
	for _, receipt := range response.Receipts {
		if c.channelID == "" {
			// Now it is known which chat is ours. An answer that was here before that has not been
			// acknowledged: another session brings it again.
			c.channelID = receipt.ChannelId
			return session.ErrAgain
		}
		if receipt.RequestId == "end" {
			history := &chat.ChatHistory{ChannelId: c.channelID}
			c.said = &chat.ConnectRequest{Frame: &chat.ConnectRequest_ChatHistory{ChatHistory: history}}
			outbox <- c.said
		}
	}
	switch frame := response.Frame.(type) {
	case *chat.ConnectResponse_ChatAccept:
		c.handle(frame.ChatAccept, "accepted", outbox)
	case *chat.ConnectResponse_ChatMessage:
		c.handle(frame.ChatMessage, frame.ChatMessage.SenderId+" says: "+frame.ChatMessage.Content, outbox)
	case *chat.ConnectResponse_ChatReject:
		if frame.ChatReject.ChannelId == c.channelID {
			fmt.Println("rejected: " + frame.ChatReject.Reason)
			os.Exit(1)
		}
	case *chat.ConnectResponse_ChatEnd:
		if frame.ChatEnd.ChannelId == c.channelID {
			return errors.New("the provider has ended the chat")
		}
	case *chat.ConnectResponse_ChatHistory:
		fmt.Println(len(frame.ChatHistory.Messages), "messages are kept")
		return session.ErrDone
	case *chat.ConnectResponse_Error:
		if !frame.Error.Retryable {
			return errors.New(frame.Error.Message)
		}
	}
	return nil
}

// handle prints a line for an entry of this chat that is no repeat, and says what follows. The ack
// goes along: both are stored, or neither is.
func (c *consumer) handle(entry session.Entry, line string, outbox chan<- *chat.ConnectRequest) {
	if entry.GetChannelId() != c.channelID || entry.GetSeq() <= c.handled {
		return
	}
	fmt.Println(line)
	c.handled, c.said = entry.GetSeq(), session.Ack(entry)
	if len(c.cities) > 0 {
		message := &chat.ChatMessage{ChannelId: c.channelID, MessageId: rand.Text(), Content: c.cities[0]}
		c.said.Frame = &chat.ConnectRequest_ChatMessage{ChatMessage: message}
		c.cities = c.cities[1:]
	} else {
		end := &chat.ChatEnd{ChannelId: c.channelID, Code: chat.EndCode_END_CODE_COMPLETED}
		c.said.Frame = &chat.ConnectRequest_ChatEnd{ChatEnd: end}
		c.said.RequestId = "end"
	}
	outbox <- c.said
}
