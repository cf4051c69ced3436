// Package syslogtest makes a load of syslog messages for tests and benchmarks: numbered, so that what was lost can be counted.
package syslogtest
