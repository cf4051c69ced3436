// Package monitor probes devices for ever and says of each whether it is up, degraded, down, or not to be judged.
//
//	m, err := monitor.New(monitor.Config{Targets: targets, Samples: samples, States: states, Events: bus})
//	...
//	err = m.Run(ctx)
//
// # The verdict of a device
//
// Each Check of a device is judged by its last outcomes: so many failures of so many make it fail (Target.Down), so many
// successes of so many make it well (Target.Up); only outcomes since the last verdict count, so that each verdict stands on
// evidence of its own. A device all of whose checks fail is down, one of which some fail is degraded, and so is one that
// loses much (Target.Loss). Until the first verdict it is unknown.
//
// What this machine could not send, and what may have been lost because its receive buffer was full (ping.ErrDropped), is
// no outcome. A check that could not be asked as often in a row as it takes to be down has no verdict: its device is judged
// by the others, and unknown without any.
//
// A late reply is the reply of a host that is alive. It takes its loss back, and as long as late replies come the check
// does not fail: its device is degraded, because what is late counts as lost there. Samples say what was known at their
// time: that a request had no reply in time stays on record, the round trip of the late reply is added.
//
// # Who is to blame
//
// A device all of whose parents are down, or hidden by parents of theirs, is unknown when it is silent, not down. Whoever
// is noticed first: before a silent device is called down it waits for parents that are silent too, at most for one
// interval and timeout of the parent, or what a slower parent needs for its own verdict. When a parent is back, what it hid
// is judged anew. A device that answers is up, whatever its parents say.
//
// When nearly all devices fall silent at once, it is this machine that cannot be heard: at least 3 of those that were up,
// at least 2 of them without a parent that would explain it, while at most one in 20 of those asked answers, and none in a
// fleet of less than 50. A verdict that comes before any other device was asked, by a rule of one miss, waits for the next
// answer, for an interval and timeout at most. That is one Transition without a Device. All devices are unknown until more
// of them answer, and are judged anew then. Addresses of this machine are no evidence for either, and no success or failure
// is sampled meanwhile.
//
// # Who is told
//
// Every change of health is a Transition. One is Quiet when nobody should be alarmed: the device is in a maintenance
// window, or flapping; it became unknown, unless because it cannot be asked; or it is again what it was said to be before.
// What was kept quiet and holds when the window or the flapping ends is told then. Flapping is told once.
//
// # What is kept
//
// Health is saved at once when it changes, and what it stands on once a second where it does. A restart goes on with that: what is
// known is not told again, and what changed meanwhile is noticed as any change. Transitions are saved before they are
// published, and the last ones are published again after a restart, with the same Event.ID: whoever gets one twice can tell.
//
// # What it costs
//
// All pings go over one ping.Steady. The other probes take turns, Config.AtOnce at a time. There is no goroutine and no
// timer of a device. Nothing depends on the clock on the wall but maintenance windows and the times that are shown.
package monitor
