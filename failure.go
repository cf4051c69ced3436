package muster

import (
	"fmt"
	"time"
)

// Stage is the step of the line in which a device failed.
type Stage string

// The stages, in the order a device passes them.
const (
	StageResolve    Stage = "resolve"
	StageConnect    Stage = "connect"
	StageHandshake  Stage = "handshake"
	StageHostKey    Stage = "hostkey"
	StageAuth       Stage = "auth"
	StagePrompt     Stage = "prompt"
	StageCommand    Stage = "command"
	StageIncomplete Stage = "incomplete"
	StageStore      Stage = "store"
	StageCanceled   Stage = "canceled"
)

// Failure is the one shape of everything that goes wrong with a device: what was being done (Stage), what happened
// (Code, Err) and what to try (Hint). It is data in a Result and an error for errors.As.
type Failure struct {
	Device   string
	Stage    Stage
	Code     string // a stable word, see Codes
	Err      error  // the cause in words; never holds a secret
	Hint     string // what to try; empty: the code's own
	Attempts int
	Elapsed  time.Duration

	Transcript []byte // the end of the conversation, masked; empty where there was none
}

// Error names device, stage, code and cause in one line.
func (f *Failure) Error() string {
	return fmt.Sprintf("%s: %s: %s: %v", f.Device, f.Stage, f.Code, f.Err)
}

// Unwrap returns the cause.
func (f *Failure) Unwrap() error { return f.Err }

// Try says what a person can try: the failure's own hint, or the one its code has in Codes.
func (f *Failure) Try() string {
	if f.Hint != "" {
		return f.Hint
	}
	if c, ok := LookupCode(f.Code); ok {
		return c.Try
	}
	return ""
}
