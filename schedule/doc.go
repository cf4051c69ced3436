// Package schedule says when repeated work is due, and does it then.
//
// A Plan is an interval, or a cron expression that follows the clock of a zone. A Runner does the work of its entries by
// their plans, each by its name, and keeps in a store when it did so:
//
//   - Never two of one name run at a time. Due times that pass while the work runs, or while the process is down, are made up
//     for together by one run: at once when the work has ended, or at the start.
//   - After a restart nothing is done anew: an interval counts from when the work last began. Work that was cut short because
//     the context of Run ended is due at the next start; work in which the process died is not, lest it die of that again.
//   - An interval that is new is due at once, a cron expression at its first time.
//   - A clock that jumps forward makes what it passed due, once. When it jumps back, no time of a cron expression up to a day
//     back comes a second time, and nothing waits longer than an interval.
//   - Work that fails is logged and due again at its next time.
//
// What a daylight saving time makes of a cron expression is said at Plan.Next.
package schedule
