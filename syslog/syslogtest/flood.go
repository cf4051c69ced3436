package syslogtest

import (
	"cmp"
	"context"
	"net"
	"time"
)

// Flood says how to send messages.
type Flood struct {
	Form  Form // nil: Cisco
	First int  // the number of the first message; 0: 1
	Count int  // of messages
	Rate  int  // messages a second, in bursts of a millisecond; 0: as fast as the kernel takes them
}

func (f Flood) withDefaults() Flood {
	if f.Form == nil {
		f.Form = Cisco
	}
	f.First = cmp.Or(f.First, 1)
	return f
}

// pace spreads messages over time.
type pace struct {
	rate  int // a second; 0: all are due at once
	began time.Time
}

// due waits until more messages are due than were sent, and returns how many more: at most most; 0 when ctx ended.
func (p pace) due(ctx context.Context, sent, most int) int {
	for ctx.Err() == nil {
		if p.rate <= 0 {
			return most
		}
		if n := int(time.Since(p.began).Seconds()*float64(p.rate)) - sent; n > 0 {
			return min(n, most)
		}
		time.Sleep(time.Millisecond)
	}
	return 0
}

const perWrite = 256 // messages

// SendTCP sends messages over one connection, each a line that ends with LF, until all are sent or ctx ends. It returns how many
// the kernel took whole, which the receiver may not have read yet.
func SendTCP(ctx context.Context, address string, f Flood) (sent int, err error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.SetWriteDeadline(time.Unix(1, 0)) })()
	f = f.withDefaults()
	p := pace{f.Rate, time.Now()}
	var lines []byte
	for sent < f.Count {
		n := p.due(ctx, sent, min(perWrite, f.Count-sent))
		if n == 0 {
			return sent, context.Cause(ctx)
		}
		lines = lines[:0]
		for i := range n {
			lines = append(f.Form(lines, f.First+sent+i), '\n')
		}
		if _, err := conn.Write(lines); err != nil {
			return sent, err
		}
		sent += n
	}
	return sent, nil
}
