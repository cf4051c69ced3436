// Package alert has rules that keep state and make of what happens the alerts that a person should know.
//
// An Engine is told what happens by Take: transitions of health, what became of backups, what devices have logged. It asks
// the history by PromQL in Run. Each Rule judges subjects by that (a device, a group of devices, a series) and says of each
// that nothing is wrong, that something is and lasts not long enough yet (pending), or that it is (firing). What fires is
// given to a Sender, which groups, silences and notifies.
//
// # What an alert carries
//
// Labels are its identity: alertname, which is the rule's name; severity, warning unless the rule says otherwise, and of
// kind log the message's: critical of emergency, alert and critical, warning of error and warning, info of the others; where
// it is about a device also device, group, platform and the device's tags; where it is about what somebody else has logged
// the sender's address as source; what the kind of the rule adds; the rule's own labels. The name of a tag becomes a label
// name by putting _ for each character but letters, digits and _, and tag_ before what begins with a digit or with _ or is
// the name of a label above. A tag without a value gives no label. An alert keeps the labels it began with until its end was
// told, also when the inventory or the rule change meanwhile.
//
// Annotations are for people: summary and description, by the rule's templates; count, first, last and sample say how often
// it was seen, when first and last, and what was seen last.
//
// # What nobody is to be alarmed of
//
// A quiet Transition begins no alert. It does not hide one either: a device that people were told is down, and that is well
// only quietly since, as one that flaps or that somebody works at, ends its alert when that is told, or after 15 minutes.
// Unknown is not well: what fires goes on, what is pending waits anew. While this machine has no way to the network no rule
// about devices begins to fire, and none ends.
//
// # Times
//
// For, Keep and Every are measured by how long muster has run, and not by the clock on the wall. A clock that jumps makes
// no alert fire early and none late. While muster does not run no time passes: a rule that wants 5 minutes and had 2 before
// a restart wants 3 after it. The wall clock is only told: when an alert starts, ends, was seen.
//
// # A restart
//
// What the rules know is in the store when Take returns: an alert that fired fires on with the same start, one that ended is
// told until the Sender had it. After kill -9 the time that was measured since the last evaluation, at most Interval, is
// forgotten and nothing else. The same event told once more after a restart changes nothing.
//
// When the store cannot be written, alerts are sent all the same, and what could not be written is tried again.
package alert
