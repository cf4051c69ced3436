package alert

import (
	"time"

	"github.com/musternet/muster"
)

// linger is for how long the end of an alert is told again, as Prometheus does.
const linger = 15 * time.Minute

// subject is what a rule says of one device, group or series. It is one of: pending, firing, ended; and pending anew while
// its last end is not told yet.
type subject struct {
	Kind    string            `json:"kind"` // of its rule
	Labels  map[string]string `json:"labels"`
	Device  string            `json:"device,omitempty"`
	Pending bool              `json:"pending,omitempty"`
	Since   time.Duration     `json:"since,omitempty"` // it is pending since, by the running time
	Wait    time.Duration     `json:"wait,omitempty"`  // how long it stays pending
	Need    int               `json:"need,omitempty"`  // how often it has to be seen
	Until   time.Duration     `json:"until,omitempty"` // it ends by itself then, by the running time; 0: never
	Fired   time.Time         `json:"fired,omitzero"`
	Ended   time.Time         `json:"ended,omitzero"`
	Over    time.Duration     `json:"over,omitempty"` // it has ended, by the running time

	Count       int       `json:"count"`
	First       time.Time `json:"first"`
	Last        time.Time `json:"last"`
	Sample      string    `json:"sample,omitempty"`
	Summary     string    `json:"summary,omitempty"`
	Description string    `json:"description,omitempty"`

	change int // counts what has to be told: it fires, it has ended
	told   int // the change that the Sender had
	news   int // counts what is worth to be sent although it fires already
	known  int // the news that the Sender had
	sent   time.Duration
}

// finding is that something is wrong with a subject.
type finding struct {
	key    string
	device muster.Device     // zero: it is about none
	labels map[string]string // beside those of the rule and the device
	text   Subject           // what the templates see; on fills in rule, device and labels
	sample string
	at     time.Time // when; zero: now
	first  time.Time // instead of when it was first seen
	news   bool      // it was seen once more, and not only looked at again
	count  int       // instead of how often it was seen
	wait   time.Duration
	need   int
	until  time.Duration
	more   bool // worth to be sent again although it fires already: it comes seldom

	summary, description string // instead of the rule's templates
}

func (s *subject) firing() bool { return !s.Fired.IsZero() && s.Ended.IsZero() }

// ended tells whether there is an end to be told.
func (s *subject) ended() bool { return !s.Fired.IsZero() && !s.Ended.IsZero() }

// see counts a finding.
func (s *subject) see(f finding, now moment) {
	if f.more && s.firing() {
		s.news++
	}
	if !s.firing() && !s.Pending {
		s.Pending, s.Since, s.Count, s.First = true, now.run, 0, f.at
	}
	if f.news || s.Last.IsZero() {
		s.Count++
		s.Last, s.Sample = f.at, f.sample
	}
	if f.count > 0 {
		s.Count = f.count
	}
	if !f.first.IsZero() {
		s.First = f.first
	}
	s.Wait, s.Need, s.Until = f.wait, f.need, f.until
}

// due tells when, by the running time, time alone changes the subject.
func (s *subject) due() time.Duration {
	at := forever
	if s.Pending && s.Count >= s.Need {
		at = s.Since + s.Wait
	}
	if (s.Pending || s.firing()) && s.Until > 0 {
		at = min(at, s.Until)
	}
	return at
}

// ripen does what is due, and tells whether that was something. What has to fire at the instant at which it ends fires.
func (s *subject) ripen(now moment) (fired, changed bool) {
	if s.Pending && s.Count >= s.Need && now.run-s.Since >= s.Wait {
		s.Pending, s.Fired, s.Ended = false, now.wall, time.Time{}
		s.change++
		fired, changed = true, true
	}
	if s.Until > 0 && now.run >= s.Until && s.end(now) {
		changed = true
	}
	return fired, changed
}

// end ends what is pending or fires, and tells whether there was such a thing.
func (s *subject) end(now moment) bool {
	was := s.Pending || s.firing()
	if s.firing() {
		s.Ended, s.Over = now.wall, now.run
		s.change++
	}
	s.Pending, s.Until = false, 0
	return was
}

// finished tells whether nothing is left to be told.
func (s *subject) finished(now moment) bool {
	if s.Pending || s.firing() {
		return false
	}
	return s.Fired.IsZero() || s.told == s.change && now.run-s.Over >= linger
}

// wants tells whether the Sender should be told now.
func (s *subject) wants(now moment) bool {
	return !s.Fired.IsZero() && (s.told != s.change || s.known != s.news || now.run-s.sent >= Resend)
}

// alert is the subject as the Sender gets it. A clock that was set back makes no start or end lie in the future, which
// would be no start and no end.
func (s *subject) alert(now moment) muster.Alert {
	a := muster.Alert{Labels: s.Labels, Annotations: s.annotations(), Starts: earlier(s.Fired, now.wall)}
	if s.ended() {
		a.Ends = earlier(s.Ended, now.wall)
		a.Starts = earlier(a.Starts, a.Ends)
	}
	return a
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
