// Package logfile keeps syslog messages as segments of JSON lines: appended by group commit, compressed when they are full,
// forgotten by age and size, and searched without a database; zstdcat, jq and grep read them too.
package logfile
