package monitor

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"time"

	"github.com/musternet/muster"
)

// Uplink says when it is this machine that cannot be heard. The zero value stands for the defaults.
type Uplink struct {
	Off     bool // never: each device is down by itself
	AtLeast int  // so many devices that were up have to be silent; 0: 3
}

const (
	// cutRoots is how many of the silent devices must have no parent: one alone would explain the silence of all behind it.
	cutRoots = 2
	// cutShare is how many of the silent devices make up for one that answers.
	cutShare = 20
	// cutAnswers is how many devices it takes for one that answers to be no proof that this machine is heard.
	cutAnswers = 50
)

// cutOff tells whether the silence of a device is that of nearly all, or whether that may be known soon because too few
// have been asked since.
func (f *fleet) cutOff(d *device, now time.Duration) (cut, soon bool) {
	since := d.silence()
	if f.uplink.Off || f.wereUp < f.uplink.AtLeast || f.heardSince(since, now) {
		return false, false
	}
	var answered, silent, roots, asked, mayBe int
	for _, o := range f.devices {
		switch {
		case o.ours:
		case o.answered >= since:
			answered++
		case o.wasUp() && o.missed >= since:
			silent++
			roots += o.root()
		case o.wasUp():
			asked++
			mayBe += o.root()
		}
	}
	if answered > f.wereUp/cutAnswers {
		return false, false
	}
	cut = silent >= f.uplink.AtLeast && roots >= cutRoots && answered*cutShare <= silent
	return cut, !cut && silent+asked >= f.uplink.AtLeast && roots+mayBe >= cutRoots
}

// lookAgain is how long it holds who has answered: when many fall silent, not each of them looks at all.
const lookAgain = 100 * time.Millisecond

// heardSince tells whether so many have answered since a time that this machine is heard.
func (f *fleet) heardSince(since, now time.Duration) bool {
	if f.heardAt == 0 || now-f.heardAt >= lookAgain {
		f.answers = f.answers[:0]
		for _, o := range f.devices {
			if !o.ours {
				f.answers = append(f.answers, o.answered)
			}
		}
		slices.Sort(f.answers)
		f.heard, f.heardAt = 0, now
		if i := len(f.answers) - 1 - f.wereUp/cutAnswers; i >= 0 {
			f.heard = f.answers[i]
		}
	}
	return since <= f.heard
}

// root is 1 for a device without parents.
func (d *device) root() int {
	if len(d.parents) == 0 {
		return 1
	}
	return 0
}

// cutNow says that this machine cannot be heard.
func (f *fleet) cutNow(d *device, now time.Duration) {
	silent := 0
	for _, o := range f.devices {
		if o.wasUp() && o.silent() {
			silent++
		}
	}
	reason := fmt.Sprintf("%d of %d devices that were up fell silent at once, %s among them", silent, f.wereUp, d.Device.Name)
	f.cutAt = now
	f.setCut(true, "this machine is cut off: "+reason, muster.HealthUp, muster.HealthDown, reason)
	f.reviewAll(f.devices, now)
}

// hearAgain takes an answer while this machine is cut off: it is back when more answer than could while it was.
func (f *fleet) hearAgain(d *device, r result, now time.Duration) {
	d.hear(r, now)
	if f.heardSince(f.cutAt, now) {
		f.back(now, d.Device.Name+" answers")
	}
}

// back says that somebody is heard again, and forgets what was held against the devices meanwhile.
func (f *fleet) back(now time.Duration, reason string) {
	f.setCut(false, "", muster.HealthDown, muster.HealthUp, reason)
	for _, o := range f.devices {
		o.forget()
		f.decided(o)
		f.review(o, now)
	}
}

func (f *fleet) setCut(cut bool, all string, from, to muster.Health, reason string) {
	f.cut, f.cutReason, f.cutSince = cut, all, f.wall()
	f.out = append(f.out, muster.Transition{Time: f.cutSince, From: from, To: to, Reason: reason})
}

// ownAddrs are the addresses of this machine.
func ownAddrs() map[netip.Addr]bool {
	own := map[netip.Addr]bool{}
	addrs, err := net.InterfaceAddrs()
	if err != nil { // then none is known: loopback is, by its range
		return own
	}
	for _, a := range addrs {
		if p, err := netip.ParsePrefix(a.String()); err == nil {
			own[p.Addr().Unmap()] = true
		}
	}
	return own
}
