package alert

import "github.com/musternet/muster"

// uplinkJudge fires when this machine has no way to the network. While that is so no rule about devices begins to fire.
type uplinkJudge struct{}

func openUplink() judge { return uplinkJudge{} }

func checkUplink(Rule) error { return nil }

func (uplinkJudge) hear(d *desk, r *rule, ev muster.Event) {
	if ev.Kind == muster.EventHealth && ev.Transition != nil && ev.Transition.Device == "" {
		judgeUplink(d, r, finding{at: ev.Time, news: true})
	}
}

func (uplinkJudge) look(d *desk, r *rule) {
	judgeUplink(d, r, finding{at: d.beliefs[""].Since})
}

func judgeUplink(d *desk, r *rule, f finding) {
	b := d.beliefs[""]
	switch {
	case !d.cut:
		d.off(r, "")
	case b.Told != muster.HealthDown:
		d.hold(r, "")
	default:
		f.wait, f.sample = r.For, b.Reason
		f.text = Subject{State: string(b.State), Reason: b.Reason}
		d.on(r, f)
	}
}
