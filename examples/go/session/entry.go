package session

import chat "claw.chat/examples/weather/chatv1"

// Entry is what the other side wrote into a channel.
type Entry interface {
	GetChannelId() string
	GetSeq() uint64
}

// Ack says that an entry is handled, and all before it in its channel.
func Ack(entry Entry) *chat.ConnectRequest {
	position := &chat.ChannelPosition{ChannelId: entry.GetChannelId(), Seq: entry.GetSeq()}
	return &chat.ConnectRequest{Acks: []*chat.ChannelPosition{position}}
}
