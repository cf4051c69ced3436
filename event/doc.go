// Package event is the bus inside the process: what happens is published once and told to all who subscribed, in one order.
//
// Whoever must not miss anything, such as the alerts, subscribes by a name with Bus.Subscribe. What was published is in the
// journal when Publish returns, and a subscriber reads it from there at its own pace: it cannot be too slow, and after a
// restart, also after kill -9, it goes on where it was. It may then get again what it had already, up to some hundreds of
// events: the ID of an event is the same each time. The journal keeps events for 7 days, 100,000 at most; a subscriber that
// was away for longer is told how many it missed.
//
// Whoever only shows what happens, such as a terminal, listens with Bus.Listen. It gets what is published from then on, as
// long as it keeps up: its queue is bounded, and what did not fit is told as a number.
//
// Every subscriber and listener gets events in the order in which they were published, all devices together.
package event
