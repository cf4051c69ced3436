package alert_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/musternet/muster"
	"github.com/musternet/muster/alert"
)

// logged is the rule of most tests.
var logged = []alert.Rule{{Name: "log", Kind: "log"}}

// hit is that a sender has logged something of a severity.
func hit(key, severity, message string) *muster.LogHit {
	return &muster.LogHit{
		Rule: "log", Key: key, Count: 1, First: time.Now(), Last: time.Now(),
		Line: muster.LogLine{Severity: severity, Message: message},
	}
}

// log tells of what a device, or an address that is none's, has logged.
func (b *bench) log(h *muster.LogHit) {
	b.Helper()
	ev := muster.Event{Kind: muster.EventLog, Text: "not looked at", Log: h}
	for _, d := range b.devices {
		if d.Name == h.Key {
			ev.Device.Name = d.Name
		}
	}
	b.take(ev)
}

func TestALoggedMessageFiresWithItsContext(t *testing.T) {
	t.Parallel()
	inBubble(t, logged, func(b *bench) {
		h := hit("r1", "notice", "neighbor 198.51.100.1 Down BGP Notification sent")
		h.Count, h.First = 7, h.Last.Add(-time.Minute)
		h.Line = muster.LogLine{
			Source: netip.MustParseAddr("198.18.0.1"), Device: "r1", Time: h.Last.Add(-1500 * time.Millisecond), TimeQuality: "ms,unsynced",
			Facility: "local7", Severity: "notice", App: "bgpd", Mnemonic: "BGP-5-ADJCHANGE", Message: h.Line.Message,
		}
		b.log(h)
		a := b.post.last("log:r1")
		labels := map[string]string{"alertname": "log", "severity": "info", "device": "r1", "group": "core", "platform": "frr", "site": "ams"}
		if diff := cmp.Diff(labels, a.Labels); diff != "" {
			b.Error(diff)
		}
		want := map[string]string{
			"summary": "r1: neighbor 198.51.100.1 Down BGP Notification sent",
			"description": "notice BGP-5-ADJCHANGE of bgpd, at 1999-12-31T23:59:58.5Z (not set) by its own clock\n" +
				"neighbor 198.51.100.1 Down BGP Notification sent\n7 messages from 1999-12-31T23:59:00Z to 2000-01-01T00:00:00Z",
			"count": "7", "first": "1999-12-31T23:59:00Z", "last": "2000-01-01T00:00:00Z",
			"sample": "neighbor 198.51.100.1 Down BGP Notification sent",
		}
		if diff := cmp.Diff(want, a.Annotations); diff != "" {
			b.Error(diff)
		}
	})
}

func TestTheTextsOfALogRuleSeeTheMessage(t *testing.T) {
	t.Parallel()
	rule := logged[0]
	rule.Summary = "{{.Rule}} {{.Device}} {{.Source}} {{.Severity}} {{.Facility}} {{.App}} {{.Mnemonic}} {{.Time}} {{.Count}} {{.First}} {{.Last}}"
	inBubble(t, []alert.Rule{rule}, func(b *bench) {
		h := hit("r1", "error", "")
		h.Line.Source, h.Line.Facility, h.Line.App, h.Line.Mnemonic = netip.MustParseAddr("198.18.0.1"), "daemon", "sshd", "X"
		h.Line.Time, h.Line.TimeQuality, h.Line.Raw = h.Last, "year,zone,s", "<27>sshd: "
		b.log(h)
		a := b.post.last("log:r1").Annotations
		if want := "log r1 198.18.0.1 error daemon sshd X 2000-01-01T00:00:00Z 1 2000-01-01T00:00:00Z 2000-01-01T00:00:00Z"; a["summary"] != want {
			b.Errorf("got %q", a["summary"])
		}
		if want := "error X of sshd, at 2000-01-01T00:00:00Z by its own clock\n<27>sshd: "; a["description"] != strings.TrimSpace(want) {
			b.Errorf("a message without a text is told as it came: got %q", a["description"])
		}
	})
}

func TestALogAlertFiresWhileMessagesComeAndEndsByItself(t *testing.T) {
	t.Parallel()
	longer := logged[0]
	longer.Keep = time.Hour
	for _, rule := range []alert.Rule{logged[0], longer} {
		keep := max(rule.Keep, alert.DefaultKeep)
		inBubble(t, []alert.Rule{rule}, func(b *bench) {
			began := time.Now()
			for n := range 4 {
				h := hit("r1", "error", fmt.Sprint("message ", n+1))
				h.Count, h.First = 10*(n+1), began
				b.log(h)
				b.wait(keep - time.Second)
				b.want("log:r1")
				a := b.post.last("log:r1")
				if got := a.Annotations; got["count"] != fmt.Sprint(h.Count) || got["sample"] != h.Line.Message || got["first"] != "2000-01-01T00:00:00Z" {
					b.Errorf("it says %v", got)
				}
			}
			b.wait(2 * time.Second)
			b.want("")
			if b.post.said("log:r1") != "ended" || b.post.began("log:r1") != 1 {
				b.Errorf("the Sender was told %s, of %d starts", b.post.said("log:r1"), b.post.began("log:r1"))
			}
		})
	}
}

func TestALogAlertGoesOnAfterARestart(t *testing.T) {
	t.Parallel()
	inBubble(t, logged, func(b *bench) {
		b.log(hit("r1", "error", "once"))
		b.wait(4 * time.Minute)
		b.restart(time.Hour) // which does not count
		b.want("log:r1")
		b.log(hit("r1", "error", "twice"))
		b.wait(4 * time.Minute)
		b.kill()
		b.want("log:r1")
		b.wait(2 * time.Minute)
		b.want("")
		if got := b.post.began("log:r1"); got != 1 {
			b.Errorf("it was said to begin %d times", got)
		}
	})
}

func TestAnEventOfTheLogThatComesAgainChangesNothing(t *testing.T) {
	t.Parallel()
	inBubble(t, logged, func(b *bench) {
		ev := muster.Event{ID: "1", Kind: muster.EventLog, Device: b.devices[0], Log: hit("r1", "error", "once")}
		b.take(ev)
		b.wait(4 * time.Minute)
		b.take(ev)
		b.wait(90 * time.Second)
		b.want("")
		b.restart(0)
		b.take(ev)
		b.want("")
	})
}

func TestOnlyTheHitsOfARuleAndOfItsDevicesFire(t *testing.T) {
	t.Parallel()
	core := logged[0]
	core.Select = func(d muster.Device) bool { return d.GroupName() == "core" }
	inBubble(t, []alert.Rule{core, {Name: "other", Kind: "log"}}, func(b *bench) {
		b.log(hit("r2", "critical", "of edge"))
		b.log(hit("203.0.113.9", "critical", "of nobody"))
		b.take(muster.Event{Kind: muster.EventLog, Device: b.devices[0], Text: "without a hit"})
		b.backup(muster.EventBackupFailed, "r1", "")
		b.want("")
		b.log(hit("r3", "critical", "of core"))
		b.want("log:r3")
	})
}

func TestAnUnknownSenderIsToldByItsAddress(t *testing.T) {
	t.Parallel()
	inBubble(t, logged, func(b *bench) {
		b.log(hit("203.0.113.9", "error", "who am I"))
		a := b.post.last("log:203.0.113.9")
		if diff := cmp.Diff(map[string]string{"alertname": "log", "severity": "warning", "source": "203.0.113.9"}, a.Labels); diff != "" {
			b.Error(diff)
		}
		if got := a.Annotations["summary"]; got != "203.0.113.9: who am I" {
			b.Errorf("got %q", got)
		}
		ev := muster.Event{Kind: muster.EventLog, Log: hit("r2", "error", "a device by its name alone")}
		b.take(ev)
		b.want("log:203.0.113.9 log:r2")
	})
}

func TestMoreUnknownSendersThanAnybodyHasShareAnAlert(t *testing.T) {
	t.Parallel()
	inBubble(t, logged, func(b *bench) {
		b.log(hit("r1", "error", "a device does not count"))
		for n := range alert.MostSources + 50 {
			h := hit(fmt.Sprintf("203.0.113.%d", n), "error", fmt.Sprint("forged ", n))
			h.Count, h.First, h.Line.Source = 1000, time.Now().Add(-time.Hour), netip.MustParseAddr("2001:db8::1")
			b.log(h)
		}
		b.wait(alert.Resend)
		if got := len(b.engine.Alerts()); got != alert.MostSources+2 {
			b.Fatalf("there are %d alerts", got)
		}
		a := b.post.last("log:others").Annotations
		if a["count"] != "50" || a["first"] != "2000-01-01T00:00:00Z" || a["summary"] != fmt.Sprint("2001:db8::1: forged ", alert.MostSources+49) {
			b.Errorf("it says %v", a)
		}
		b.log(hit("203.0.113.5", "error", "one of the first"))
		b.wait(alert.Resend)
		if got := b.post.last("log:203.0.113.5").Annotations["sample"]; got != "one of the first" {
			b.Errorf("one that has an alert keeps it: it says %q", got)
		}
		b.wait(alert.DefaultKeep + time.Second)
		b.want("")
	})
}

func TestTheSeverityOfALogAlertIsTheRulesOrTheMessages(t *testing.T) {
	t.Parallel()
	for severity, want := range map[string]string{
		"emergency": "critical", "alert": "critical", "critical": "critical", "error": "warning", "warning": "warning",
		"notice": "info", "info": "info", "debug": "info", "": "info", "9": "info",
	} {
		inBubble(t, logged, func(b *bench) {
			b.log(hit("r1", severity, ""))
			if got := b.post.last("log:r1").Labels["severity"]; got != want {
				b.Errorf("a message of severity %q gives an alert of severity %q, want %q", severity, got, want)
			}
		})
	}
	own := logged[0]
	own.Labels = map[string]string{"severity": "page"}
	inBubble(t, []alert.Rule{own}, func(b *bench) {
		b.log(hit("r1", "debug", ""))
		b.log(hit("r1", "emergency", ""))
		b.want("log:r1")
		if got := b.post.last("log:r1").Labels["severity"]; got != "page" {
			b.Errorf("got %q", got)
		}
	})
}

func TestAWorseMessageIsToldAtOnceAndALesserOneIsCountedToIt(t *testing.T) {
	t.Parallel()
	inBubble(t, logged, func(b *bench) {
		fires := func(want string) {
			b.Helper()
			var got []string
			for _, s := range b.engine.Alerts() {
				if s.Phase == alert.Firing {
					got = append(got, s.Labels["severity"]+" "+s.Sample)
				}
			}
			if strings.Join(got, ", ") != want {
				b.Errorf("there fires %q, want %q", got, want)
			}
		}
		b.log(hit("r1", "notice", "fan slow"))
		fires("info fan slow")
		b.post.forget()
		b.log(hit("r1", "critical", "fan failed"))
		fires("critical fan failed")
		if b.post.all() == "" {
			b.Error("the worse message waits to be sent")
		}
		b.wait(4 * time.Minute)
		b.log(hit("r1", "warning", "fan slow"))
		b.wait(4 * time.Minute)
		fires("critical fan slow")
		b.wait(2 * time.Minute)
		fires("")
		b.log(hit("r1", "warning", "fan slow again"))
		fires("warning fan slow again")
	})
}

func TestWhatADeviceSaysReachesNobodyRaw(t *testing.T) {
	t.Parallel()
	inBubble(t, logged, func(b *bench) {
		evil := "a\x1b]0;owned\x07\r\nAlert: forged\u202e\u2028\x00\xff{{.Device}}\t" + strings.Repeat("é", 100_000)
		h := hit("r1\x1b[2J", "error\n", evil)
		h.Line.App, h.Line.Mnemonic, h.Line.Facility = evil, evil, evil
		b.take(muster.Event{Kind: muster.EventLog, Log: h})
		for _, s := range b.engine.Alerts() {
			if got := s.Labels["source"]; got != `r1\x1b[2J` {
				b.Errorf("the label is %q", got)
			}
			if !strings.HasPrefix(s.Sample, `a\x1b]0;owned\a\r\nAlert: forged\u202e\u2028\x00\xff{{.Device}}\té`) {
				b.Errorf("the sample is %q", s.Sample)
			}
			if strings.ContainsAny(s.Summary+s.Sample+s.Description, "\x1b\x07\r\x00\u202e\u2028") || strings.Contains(s.Summary, "\n") {
				b.Errorf("it says %q, %q", s.Summary, s.Description)
			}
			if n := strings.Count(s.Description, "\n"); n != 1 || len(s.Description) > 4096 || len(s.Summary) > alert.MostSummary || !utf8.ValidString(s.Description) {
				b.Errorf("the description has %d lines and %d bytes", n+1, len(s.Description))
			}
		}
		if len(b.engine.Alerts()) != 1 {
			b.Error("there is no alert")
		}
	})
}

func TestAClockGoneAstrayHarmsNobody(t *testing.T) {
	t.Parallel()
	inBubble(t, logged, func(b *bench) {
		h := hit("r1", "error", "x")
		h.Line.Time = time.Date(30_000, 1, 1, 0, 0, 0, 0, time.UTC)
		h.First, h.Last = h.Line.Time, time.Time{}
		b.log(h)
		a := b.post.last("log:r1").Annotations
		if a["first"] != "2000-01-01T00:00:00Z" || a["last"] != "2000-01-01T00:00:00Z" || a["description"] != "error\nx" {
			b.Errorf("it says %v", a)
		}
		b.kill()
		b.want("log:r1")
	})
}

func TestALogAlertOfADeviceThatIsGoneEnds(t *testing.T) {
	t.Parallel()
	inBubble(t, logged, func(b *bench) {
		b.log(hit("r1", "error", "x"))
		b.log(hit("203.0.113.9", "error", "x"))
		b.devices = b.devices[1:]
		if err := b.engine.Replace(b.Context(), logged); err != nil {
			b.Fatal(err)
		}
		b.want("log:203.0.113.9")
	})
}

// What a storm has become is known to whoever notifies, and not a minute later.
func TestMoreMessagesAreSentAtOnce(t *testing.T) {
	t.Parallel()
	inBubble(t, logged, func(b *bench) {
		h := hit("r1", "critical", "no memory")
		b.log(h)
		b.wait(10 * time.Second)
		h.Count = 13
		b.log(h)
		b.wait(time.Second)
		if got := b.post.last("log:r1").Annotations[alert.AnnotationCount]; got != "13" {
			b.Errorf("after a second the Sender knows of %s messages", got)
		}
		if got := b.post.began("log:r1"); got != 1 {
			b.Errorf("it began %d times", got)
		}
	})
}
