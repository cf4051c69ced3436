package logwatch_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/logwatch"
	"github.com/musternet/muster/syslog"
	"github.com/musternet/muster/task"
)

var fleet = []muster.Device{
	{Name: "r1", Address: "192.0.2.1", Platform: "cisco_ios"},
	{Name: "r2.example.net", Address: "192.0.2.2", Platform: "juniper_junos"},
	{Name: "sw1", Address: "sw1.example.net"},
}

// bench is a Watcher with all that it stands on, in a bubble.
type bench struct {
	*testing.T
	watcher *logwatch.Watcher
	in      chan syslog.Message

	mu      sync.Mutex
	lines   []muster.LogLine
	events  []muster.Event
	changes []logwatch.Change
	full    bool // the archive takes nothing
}

func (b *bench) Append(_ context.Context, line []byte, received time.Time) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.full {
		return errors.New("disk full")
	}
	var l muster.LogLine
	if err := json.Unmarshal(line, &l); err != nil {
		b.Errorf("%v: %q", err, line)
	}
	if !l.Received.Equal(received) {
		b.Errorf("it is archived as received at %v, and says %v", received, l.Received)
	}
	b.lines = append(b.lines, l)
	return nil
}

func (b *bench) PublishAll(_ context.Context, events []muster.Event) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.events = append(b.events, events...)
	return nil
}

func (b *bench) changed(_ context.Context, some []logwatch.Change) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.changes = append(b.changes, some...)
}

// says takes a message from an address, and waits until all that comes of it has come.
func (b *bench) says(from, raw string) {
	b.T.Helper()
	var m syslog.Message
	now := time.Now()
	new(syslog.Parser).ParseInto(&m, []byte(raw), now)
	m.Received, m.Transport = now.UTC(), syslog.UDP
	if from != "" {
		m.Source = netip.AddrPortFrom(netip.MustParseAddr(from), 514)
	}
	b.in <- m
	synctest.Wait()
}

// stamp is the time of now as a device writes it.
func stamp(ago time.Duration) string {
	return time.Now().Add(-ago).UTC().Format("2006-01-02T15:04:05.000Z")
}

func inBubble(t *testing.T, c logwatch.Config, body func(*bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := &bench{T: t, in: make(chan syslog.Message)}
		if c.Book == nil {
			c.Book, _ = logwatch.NewBook(fleet, []logwatch.Binding{{Addr: netip.MustParseAddr("192.0.2.3"), Device: "sw1"}}, nil)
		}
		c.Archive, c.Events, c.Changed = b, b, b.changed
		var err error
		if b.watcher, err = logwatch.New(c); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		err = task.Scope(context.WithoutCancel(ctx), "test", func(_ context.Context, g *task.Group) error {
			g.Go("watcher", func(context.Context) error { return b.watcher.Run(ctx, b.stream(ctx)) })
			defer cancel()
			body(b)
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
}

func (b *bench) stream(ctx context.Context) iter.Seq2[syslog.Message, error] {
	return func(yield func(syslog.Message, error) bool) {
		for {
			select {
			case <-ctx.Done():
				return
			case m := <-b.in:
				if !yield(m, nil) {
					return
				}
			}
		}
	}
}

// archived are the lines that were archived, the last one first.
func (b *bench) archived() []muster.LogLine {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := slices.Clone(b.lines)
	slices.Reverse(all)
	return all
}

func (b *bench) told() []muster.Event {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.events)
}

func (b *bench) configured() []logwatch.Change {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.changes)
}

func TestAMessageIsPutDownToTheDeviceOfItsAddress(t *testing.T) {
	t.Parallel()
	inBubble(t, logwatch.Config{}, func(b *bench) {
		for _, c := range []struct{ from, host, device, flags string }{
			{"192.0.2.1", "r1", "r1", ""},
			{"192.0.2.1", "R1.example.org", "r1", ""},
			{"192.0.2.1", "anything", "r1", ""},
			{"192.0.2.1", "-", "r1", ""},
			{"192.0.2.1", "192.0.2.1", "r1", ""},
			{"::ffff:192.0.2.2", "r2", "r2.example.net", ""},
			{"192.0.2.2", "r2.example.net", "r2.example.net", ""},
			{"192.0.2.3", "sw1.example.net", "sw1", ""},
			{"192.0.2.1", "r2", "r1", "foreign-host"},
			{"192.0.2.1", "192.0.2.2", "r1", "foreign-host"},
			{"192.0.2.1", "r1", "r1", ""},
			{"198.51.100.7", "other", "", "unknown-source"},
			{"198.51.100.7", "r1", "", "unknown-source foreign-host"},
			{"", "r7", "", ""}, // a program of this machine
		} {
			b.says(c.from, fmt.Sprintf("<30>1 %s %s sshd - - - hello", stamp(0), c.host))
			if l := b.archived()[0]; l.Device != c.device || strings.Join(l.Flags, " ") != c.flags {
				b.Errorf("a message of %q from %s is put down to %q with flags %q", c.host, c.from, l.Device, l.Flags)
			}
		}
		if c := b.watcher.Counts(); c.Taken != 14 || c.Parsed != 14 || c.Unknown != 3 {
			b.Errorf("the counts are %+v", c)
		}
	})
}

func TestTwoDevicesDoNotShareAnAddress(t *testing.T) {
	t.Parallel()
	_, void := logwatch.NewBook(append(slices.Clone(fleet), muster.Device{Name: "twin", Address: "192.0.2.1"}),
		[]logwatch.Binding{{Addr: netip.MustParseAddr("192.0.2.2"), Device: "r1"}, {Addr: netip.MustParseAddr("192.0.2.9"), Device: "nobody"}}, nil)
	if got := fmt.Sprint(void); got != "[{192.0.2.1 twin} {192.0.2.2 r1} {192.0.2.9 nobody}]" {
		t.Errorf("what does not hold is %s", got)
	}
}

func TestOfARelayTheNameCounts(t *testing.T) {
	t.Parallel()
	relays := []netip.Addr{netip.MustParseAddr("192.0.2.100"), netip.MustParseAddr("192.0.2.101")}
	book, _ := logwatch.NewBook(append(slices.Clone(fleet), muster.Device{Name: "log1", Address: "192.0.2.101"}), nil, relays)
	inBubble(t, logwatch.Config{Outlook: logwatch.Outlook{Book: book}}, func(b *bench) {
		for n, c := range []struct{ host, device, flags string }{
			{"r1", "r1", ""}, {"r2", "r2.example.net", ""}, {"stranger", "", "unknown-source"}, {"r1", "r1", ""},
		} {
			b.says("192.0.2.100", fmt.Sprintf(`<30>1 %s %s sshd - - [meta sequenceId="%d"] hello`, stamp(0), c.host, 1+n/3))
			if l := b.archived()[0]; l.Device != c.device || strings.Join(l.Flags, " ") != c.flags || l.Missing != 0 {
				b.Errorf("a message of %s is put down to %q with flags %q, %d missing", c.host, l.Device, l.Flags, l.Missing)
			}
		}
		for host, device := range map[string]string{"r1": "r1", "log1": "log1", "stranger": "log1"} { // a relay that is a device too
			b.says("192.0.2.101", fmt.Sprintf("<30>1 %s %s sshd - - - hello", stamp(0), host))
			if l := b.archived()[0]; l.Device != device || len(l.Flags) > 0 {
				b.Errorf("a message of %s is put down to %q with flags %q", host, l.Device, l.Flags)
			}
		}
	})
}

func TestWhatADeviceHasNumberedAndNobodyHasHeardIsMissing(t *testing.T) {
	t.Parallel()
	inBubble(t, logwatch.Config{}, func(b *bench) {
		for _, c := range []struct {
			n, missing int
			total      uint64
		}{{7, 0, 0}, {8, 0, 0}, {12, 3, 3}, {10, 0, 2}, {13, 0, 2}} {
			b.says("192.0.2.1", fmt.Sprintf("<189>%d: r1: *Mar  1 18:46:11.123: %%SYS-5-X: y", c.n))
			b.says("192.0.2.2", fmt.Sprintf("<189>%d: r2: *Mar  1 18:46:11.123: %%SYS-5-X: y", 500+c.n-c.n)) // the same again and again
			if l := b.archived()[1]; l.Missing != c.missing || b.watcher.Counts().Missing != c.total {
				b.Errorf("before number %d %d are missing, %d in all", c.n, l.Missing, b.watcher.Counts().Missing)
			}
		}
		b.watcher.Bind(nil) // whoever is known, the numbers go on
		b.says("192.0.2.1", "<189>16: r1: *Mar  1 18:46:11.123: %SYS-5-X: y")
		if l := b.archived()[0]; l.Missing != 2 || l.Device != "" {
			b.Errorf("before number 16 %d are missing", l.Missing)
		}
	})
}

func TestARuleTellsOfAMessageAtOnceAndOfMoreLater(t *testing.T) {
	t.Parallel()
	critical := syslog.Critical
	c := logwatch.Config{Outlook: logwatch.Outlook{Rules: []logwatch.Rule{{Name: "critical", Severity: &critical}}}}
	inBubble(t, c, func(b *bench) {
		b.says("192.0.2.1", "<189>1: r1: Mar  1 18:46:11.123: %SYS-5-X: y")
		for range 100 {
			b.says("192.0.2.1", "<186>2: r1: Mar  1 18:46:11.123: %SYS-2-MALLOCFAIL: no \x1b[31mmemory")
		}
		if len(b.told()) != 1 {
			b.Fatalf("%d events were told at once", len(b.told()))
		}
		e := b.told()[0]
		if e.Kind != muster.EventLog || e.Device.Name != "r1" || e.Log.Rule != "critical" || e.Log.Count != 1 || e.Log.Line.Mnemonic != "SYS-2-MALLOCFAIL" {
			b.Errorf("the event is %+v of %+v", e, e.Log)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if len(b.told()) != 2 || b.told()[1].Log.Count != 100 || b.told()[1].ID == e.ID {
			b.Errorf("in a minute %d events were told", len(b.told()))
		}
		if c := b.watcher.Counts(); c.Hits != 100 {
			b.Errorf("the counts are %+v", c)
		}
	})
}

func TestWhatWasNotToldIsToldAtTheEnd(t *testing.T) {
	t.Parallel()
	critical := syslog.Critical
	c := logwatch.Config{Outlook: logwatch.Outlook{Rules: []logwatch.Rule{{Name: "critical", Severity: &critical}}}}
	var all *bench
	inBubble(t, c, func(b *bench) {
		all = b
		for range 3 {
			b.says("192.0.2.1", "<186>2: r1: Mar  1 18:46:11.123: %SYS-2-MALLOCFAIL: no memory")
		}
		if err := b.watcher.Replace(c.Outlook); err != nil {
			b.Error(err)
		}
		synctest.Wait()
		if len(b.told()) != 2 || b.told()[1].Log.Count != 3 {
			b.Errorf("when rules were replaced %d events were told", len(b.told()))
		}
		for range 5 {
			b.says("192.0.2.1", "<186>2: r1: Mar  1 18:46:11.123: %SYS-2-MALLOCFAIL: no memory")
		}
	})
	if n := len(all.told()); n != 4 || all.told()[3].Log.Count != 5 {
		t.Errorf("%d events were told", n)
	}
}

func TestNoiseIsArchivedAndAlarmsNobody(t *testing.T) {
	t.Parallel()
	critical := syslog.Critical
	c := logwatch.Config{Outlook: logwatch.Outlook{
		Rules: []logwatch.Rule{{Name: "critical", Severity: &critical}, {Name: "noisy", Severity: &critical, Noisy: true}},
		Noise: []logwatch.NoiseRule{{Rule: logwatch.Rule{Name: "fans", Text: "fan"}, Reason: "they always say that"}},
	}}
	inBubble(t, c, func(b *bench) {
		b.says("192.0.2.1", "<186>2: r1: Mar  1 18:46:11.123: %ENV-2-FAN: fan 1 is loud")
		if l := b.archived()[0]; l.Noise != "fans" {
			b.Errorf("its noise is %q", l.Noise)
		}
		if len(b.told()) != 1 || b.told()[0].Log.Rule != "noisy" {
			b.Errorf("%d events were told", len(b.told()))
		}
	})
}

// A collector that was away is sent what waited for it: rules that count within a time do not take that for a storm.
func TestAWindowDoesNotFireForWhatIsPlayedBack(t *testing.T) {
	t.Parallel()
	c := logwatch.Config{Outlook: logwatch.Outlook{Rules: []logwatch.Rule{
		{Name: "storm", Text: "login failed", Count: 5, Within: time.Minute},
		{Name: "each", Text: "login failed"},
	}}}
	fired := func(b *bench) (n int) {
		for _, e := range b.told() {
			if e.Log.Rule == "storm" {
				n++
			}
		}
		return n
	}
	inBubble(t, c, func(b *bench) {
		b.says("192.0.2.1", fmt.Sprintf("<30>1 %s r1 sshd - - - hello", stamp(0)))
		time.Sleep(10 * time.Minute)
		for ago := 9 * time.Minute; ago > time.Minute; ago -= 5 * time.Second { // each five seconds one, ten minutes long
			b.says("192.0.2.1", fmt.Sprintf("<30>1 %s r1 sshd - - - login failed", stamp(ago)))
			if l := b.archived()[0]; !slices.Contains(l.Flags, muster.FlagReplayed) || l.Time.Equal(l.Received) {
				b.Fatalf("a message of %v ago has the flags %q", ago, l.Flags)
			}
		}
		if n := fired(b); n != 0 || len(b.told()) == 0 {
			b.Errorf("the rule with a window has fired %d times; %d events", n, len(b.told()))
		}
		for range 5 {
			b.says("192.0.2.1", fmt.Sprintf("<30>1 %s r1 sshd - - - login failed", stamp(0)))
		}
		if n := fired(b); n != 1 {
			b.Errorf("for what is of now it has fired %d times", n)
		}
	})
}

func TestAChangeIsToldWhenItHasBecomeQuiet(t *testing.T) {
	t.Parallel()
	const configured = "<189>2: r1: Mar  1 18:46:11.123: %%SYS-5-CONFIG_I: Configured from console by %s on vty0 (10.0.0.%d)"
	inBubble(t, logwatch.Config{}, func(b *bench) {
		b.says("198.51.100.7", fmt.Sprintf(configured, "eve", 9)) // no device
		b.says("192.0.2.1", fmt.Sprintf(configured, "alice", 1))
		time.Sleep(3 * time.Second)
		b.says("192.0.2.1", fmt.Sprintf(configured, "bob", 2))
		b.says("192.0.2.1", "<189>3: r1: Mar  1 18:46:11.123: %SYS-5-X: y")
		time.Sleep(logwatch.DefaultQuiet - time.Second)
		synctest.Wait()
		if len(b.configured()) != 0 {
			b.Fatal("it was told before it was quiet")
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if len(b.configured()) != 1 || b.configured()[0].Device.Name != "r1" || b.configured()[0].Author() != "alice, bob" || fmt.Sprint(b.configured()[0].From) != "[10.0.0.1 10.0.0.2]" {
			b.Errorf("the changes are %+v", b.configured())
		}
	})
}

func TestAChangeThatDoesNotBecomeQuietIsToldAllTheSame(t *testing.T) {
	t.Parallel()
	inBubble(t, logwatch.Config{}, func(b *bench) {
		for range 30 {
			b.says("192.0.2.1", "<189>2: r1: Mar  1 18:46:11.123: %SYS-5-CONFIG_I: Configured from console by alice on vty0 (10.0.0.1)")
			time.Sleep(4 * time.Second)
		}
		synctest.Wait()
		if n := len(b.configured()); n < 1 || n > 2 {
			b.Errorf("in two minutes it was told %d times", n)
		}
	})
}

func TestWhatTheArchiveDoesNotTakeIsCountedAndHeard(t *testing.T) {
	t.Parallel()
	critical := syslog.Critical
	inBubble(t, logwatch.Config{Outlook: logwatch.Outlook{Rules: []logwatch.Rule{{Name: "critical", Severity: &critical}}}}, func(b *bench) {
		b.mu.Lock()
		b.full = true
		b.mu.Unlock()
		b.says("192.0.2.1", "<186>2: r1: Mar  1 18:46:11.123: %SYS-2-MALLOCFAIL: no memory")
		if c := b.watcher.Counts(); c.Lost != 1 || len(b.told()) != 1 {
			b.Errorf("%d events were told; the counts are %+v", len(b.told()), c)
		}
	})
}

func TestRulesThatAreWrongChangeNothing(t *testing.T) {
	t.Parallel()
	critical := syslog.Critical
	inBubble(t, logwatch.Config{Outlook: logwatch.Outlook{Rules: []logwatch.Rule{{Name: "critical", Severity: &critical}}}}, func(b *bench) {
		err := b.watcher.Replace(logwatch.Outlook{Rules: []logwatch.Rule{{Name: "bad", Match: "("}}})
		if _, ok := errors.AsType[*logwatch.RuleError](err); !ok {
			b.Errorf("the error is %v", err)
		}
		b.says("192.0.2.1", "<186>2: r1: Mar  1 18:46:11.123: %SYS-2-MALLOCFAIL: no memory")
		if len(b.told()) != 1 {
			b.Error("the rules before do not hold any more")
		}
	})
}
