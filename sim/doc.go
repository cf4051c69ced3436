// Package sim runs a fleet of simulated network devices in one process: each an SSH server of its own that replays a
// recording of package platform, with a host key, a configuration and, where wanted, a fault of its own.
//
// It is for demonstrations, for tests, for benchmarks, and for people who have no gear to practise on.
//
//	recording ─→ script (compiled once) ─→ device (name, address, key, fault, revision) ─→ connection ─→ shell or exec
//
// What a fleet promises:
//
//   - Everything but time is a function of Config: names, keys, passwords, which device has which fault, and what the
//     n-th change does to it. Only free ports are the system's choice.
//   - A device's configuration is a function of the device and its revision. Want gives the text that a right client
//     stores; it is built from the recording's own Want.Config and not by cleaning what is served.
//   - Lines that are no configuration (times, counters) differ at each fetch, so that false changes show.
//   - One connection's failure harms no other. Everything ends with the group or with Close, whichever is first.
//
// Keys and passwords are derived from the seed. They protect nothing: never serve a fleet where strangers reach it.
package sim
