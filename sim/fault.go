package sim

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
)

// Kind is one kind of fault, and how a right client fails of it.
type Kind struct {
	Name    string
	Meaning string // one sentence
	Stage   string // in the words of the product's failures; empty: it succeeds, if its time allows
	Code    string
}

// The faults.
const (
	faultHangBanner    = "hang-banner"
	faultHangHandshake = "hang-handshake"
	faultHangCommand   = "hang-command"
	faultRefuse        = "refuse"
	faultReset         = "reset"
	faultTruncated     = "truncated"
	faultCut           = "cut"
	faultGarbage       = "garbage"
	faultSlow          = "slow"
	faultTrickle       = "trickle"
	faultAuth          = "auth"
	faultEndless       = "endless"
	faultEnable        = "enable"
	faultLimit         = "limit"
	faultExpired       = "expired"
	faultMute          = "mute"
	faultReject        = "reject"
	faultEmpty         = "empty"
	faultKey           = "wrong-key"
	faultLegacy        = "legacy"
	faultFlaky         = "flaky"
)

// kinds is the table of faults, sorted by name.
var kinds = []Kind{
	{faultAuth, "It rejects every login.", "auth", "auth-rejected"},
	{faultCut, "The configuration stops in the middle, and the prompt follows as if it were whole; only devices whose configuration has an end mark have it.", "incomplete", "truncated"},
	{faultEmpty, "The configuration command prints nothing.", "incomplete", "empty"},
	{faultEnable, "It takes no enable password; only devices that ask for one have it.", "prompt", "enable-rejected"},
	{faultEndless, "The configuration never ends.", "command", "flood"},
	{faultExpired, "After the login it wants a new password; only shells have it.", "prompt", "password-expired"},
	{faultFlaky, "It resets the first connection and is well from the second on.", "", ""},
	{faultGarbage, "What listens does not speak SSH.", "handshake", "not-ssh"},
	{faultHangBanner, "It accepts the connection and never speaks.", "handshake", "timeout"},
	{faultHangCommand, "The configuration command never answers.", "command", "timeout"},
	{faultHangHandshake, "It names its SSH version and then says nothing.", "handshake", "timeout"},
	{faultLegacy, "It offers only diffie-hellman-group1-sha1.", "handshake", "no-common-kex"},
	{faultLimit, "It lets nobody in because its session limit is reached.", "prompt", "login-refused"},
	{faultMute, "After the login it says something that is no prompt, and then nothing; only shells have it.", "prompt", "no-prompt"},
	{faultRefuse, "Nothing listens on the port.", "connect", "refused"},
	{faultReject, "It answers the configuration command with an error.", "command", "command-rejected"},
	{faultReset, "It resets the connection in the middle of the configuration.", "command", "connection-lost"},
	{faultSlow, "It sends the configuration one byte at a time.", "", ""},
	{faultTrickle, "It sends the configuration one byte a second.", "command", "timeout"},
	{faultTruncated, "It closes the connection cleanly in the middle of the configuration.", "command", "connection-lost"},
	{faultKey, "It shows another host key at each connection after the first.", "hostkey", "hostkey-changed"},
}

// Kinds returns the table of faults, sorted by name.
func Kinds() []Kind {
	return slices.SortedFunc(slices.Values(kinds), func(a, b Kind) int { return strings.Compare(a.Name, b.Name) })
}

// kindOf returns the kind of that name; the zero Kind is no fault.
func kindOf(name string) (Kind, bool) {
	i := slices.IndexFunc(kinds, func(k Kind) bool { return k.Name == name })
	if i < 0 {
		return Kind{}, false
	}
	return kinds[i], true
}

// readable reports whether the configuration of a device with that fault can be read.
func readable(fault string) bool {
	k, _ := kindOf(fault)
	return k.Stage == ""
}

// Expected returns how a right client fails at the device, as its Kind says; nothing for one that succeeds.
func (d Device) Expected() (stage, code string) {
	k, _ := kindOf(d.Fault)
	return k.Stage, k.Code
}

// Share is a part of the fleet that has a fault.
type Share struct {
	Kind  string
	Share float64 // from 0 to 1
}

// String is the form that ParseShare reads.
func (s Share) String() string {
	return s.Kind + ":" + strconv.FormatFloat(s.Share, 'g', -1, 64)
}

// ParseShare reads "KIND:SHARE", the share as "5%" or "0.05".
func ParseShare(s string) (Share, error) {
	name, text, ok := strings.Cut(s, ":")
	if !ok {
		return Share{}, fmt.Errorf("fault %q: want KIND:SHARE, such as auth:5%%", s)
	}
	number, percent := strings.CutSuffix(text, "%")
	share, err := strconv.ParseFloat(number, 64)
	if err != nil {
		return Share{}, fmt.Errorf("fault %q: the share is no number, such as 5%% or 0.05", s)
	}
	if percent {
		share /= 100
	}
	parsed := Share{Kind: name, Share: share}
	return parsed, parsed.check()
}

func (s Share) check() error {
	if _, ok := kindOf(s.Kind); !ok {
		names := make([]string, len(kinds))
		for i, k := range Kinds() {
			names[i] = k.Name
		}
		return fmt.Errorf("unknown fault %q: there are %s", s.Kind, strings.Join(names, ", "))
	}
	if !(s.Share >= 0 && s.Share <= 1) {
		return fmt.Errorf("fault %s: a share is from 0 to 1, or from 0%% to 100%%", s.Kind)
	}
	return nil
}

// assign spreads the faults over the fleet, at most one a device, by chance.
func assign(seed uint64, shares []Share, devices []*device) error {
	order := rand.New(rand.NewPCG(seed, 2)).Perm(len(devices))
	for _, s := range shares {
		if err := s.check(); err != nil {
			return err
		}
		want := int(math.Round(s.Share * float64(len(devices))))
		for _, i := range order {
			if d := devices[i]; want > 0 && d.fault == "" && d.script.can(s.Kind) {
				d.fault = s.Kind
				want--
			}
		}
		if want > 0 {
			return fmt.Errorf("fault %s: %d devices too few that can have it", s.Kind, want)
		}
	}
	return nil
}

// can reports whether the script has the moment in which the fault shows.
func (s *script) can(fault string) bool {
	switch fault {
	case faultEnable:
		return s.asks
	case faultMute, faultExpired:
		return !s.recording.Exec
	case faultCut:
		return s.last >= 0 && s.ends
	case faultReset, faultTruncated, faultSlow, faultTrickle, faultEndless, faultHangCommand, faultReject, faultEmpty:
		return s.last >= 0
	default:
		return true
	}
}
