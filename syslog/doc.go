// Package syslog hears what network devices say: a parser for what they really send, and receivers for UDP, TCP, TLS and unix
// sockets that account for every message that was lost.
//
//	l, err := syslog.Listen(ctx, syslog.Config{UDP: []string{":514"}})
//	...
//	for msg, err := range l.Messages(ctx) {
//		if err == nil && msg.Severity <= syslog.Critical {
//			fmt.Printf("%s: %s\n", msg.Source.Addr(), msg.Text)
//		}
//	}
//
// Anything parses to something. What a message says of itself (host, time, severity) is as it came, and nothing in it is to be
// trusted or to be printed without escaping: the sender's address is the one thing that was seen here.
//
// The byte slices of a Message point into memory that is used again: they hold until the next iteration of the loop that
// yielded it. Clone keeps a Message for longer.
package syslog
