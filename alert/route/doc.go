// Package route brings alerts to people: through Alertmanager's own packages inside this process, or to Alertmanagers outside.
//
// Both ways are senders of alerts, and both speak Alertmanager's language: its configuration file, unchanged, says how alerts
// are grouped, inhibited, silenced, repeated and to whom they go; its API v2 answers amtool. A Router is the embedded one, an
// External passes alerts on to others.
//
// # What a sender is told
//
// Who sends says what fires, again and again: an alert that fires and names no end is taken to end four times the resend
// interval (a minute, unless Options say another) after it was sent, as Prometheus does it. So the caller sends all that fires
// once a minute, and what has ended at once, with its end. A restart needs no more than that: alerts are not kept on the disk,
// but who was notified of what is.
//
// Labels become names that any Alertmanager takes: letters, digits and underscores, no digit first. Others become underscores
// (rack-no is rack_no); where two labels become the same, the one that needed no change keeps it, and the other gets a number
// (rack_no_2). Labels without a value do not count. An alert without any label is refused, and the others are sent.
//
// # What survives
//
// Silences and the log of notifications are written when they change, before who asked for it is answered: kill -9 loses no
// silence that was acknowledged and no notification that was logged. Alertmanager's promise is at least once, and a
// notification is logged after its receiver took it: the one that is on its way at the instant of a kill is sent again. A
// loss of power may cost the notifications logged in the last seconds, which are then sent again, but no silence. When the
// disk is full, notifications go out, a silence is answered with an error although it is in force until a restart, and both
// are written as soon as there is space.
package route
