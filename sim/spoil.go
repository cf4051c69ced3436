package sim

import (
	"bytes"
	"context"
	"time"
)

// verdict is what becomes of the configuration after a fault had its way.
type verdict int

const (
	whole        verdict = iota // the text is sent as if nothing were wrong
	stoppedShort                // so is this text, which is not all
	refusedIt                   // the device answers that there is no such command
	ended                       // there is nothing more to send
)

// endlessLimit ends even an endless output, for a client that has no limit itself.
const endlessLimit = 1 << 30

// spoil does with the configuration what the device's fault does with it.
func (s *session) spoil(ctx context.Context, text []byte) ([]byte, verdict) {
	half := text[:len(text)/2]
	switch s.device.fault {
	case faultHangCommand:
		return nil, ended
	case faultReset:
		s.write(half)
		s.reset()
	case faultTruncated:
		s.write(half)
		s.tcp.CloseWrite()
	case faultCut:
		return half, stoppedShort
	case faultEmpty:
		return nil, whole
	case faultReject:
		return nil, refusedIt
	case faultSlow:
		if s.dribble(ctx, text, 0) == nil {
			return nil, whole
		}
	case faultTrickle:
		if s.dribble(ctx, text, time.Second) == nil {
			return nil, whole
		}
	case faultEndless:
		s.flood(text)
	default:
		return text, whole
	}
	return nil, ended
}

// dribble sends byte by byte, with a pause after each.
func (s *session) dribble(ctx context.Context, text []byte, pause time.Duration) error {
	for i := range text {
		s.extend()
		if err := s.write(text[i : i+1]); err != nil {
			return err
		}
		if err := wait(ctx, pause); err != nil {
			return err
		}
	}
	return nil
}

// flood sends the text without its last line again and again.
func (s *session) flood(text []byte) {
	text = text[:bytes.LastIndexByte(bytes.TrimRight(text, blanks), '\n')+1]
	for sent := 0; sent < endlessLimit && len(text) > 0; sent += len(text) {
		s.extend()
		if s.write(text) != nil {
			return
		}
	}
}
