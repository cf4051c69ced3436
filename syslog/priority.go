package syslog

import (
	"fmt"
	"strconv"
	"strings"
)

// Severity says how bad a message is: the smaller, the worse (RFC 5424, 6.2.1).
type Severity uint8

// The severities.
const (
	Emergency Severity = iota
	Alert
	Critical
	Error
	Warning
	Notice
	Info
	Debug
)

var severities = [...]string{"emergency", "alert", "critical", "error", "warning", "notice", "info", "debug"}

// otherSeverities are further names that people and devices have for them.
var otherSeverities = map[string]Severity{
	"emerg": Emergency, "emergencies": Emergency, "panic": Emergency, "alerts": Alert, "crit": Critical, "err": Error,
	"errors": Error, "warn": Warning, "warnings": Warning, "notification": Notice, "notifications": Notice,
	"informational": Info, "information": Info, "debugging": Debug,
}

// String is the word for it, such as "critical".
func (s Severity) String() string {
	if int(s) < len(severities) {
		return severities[s]
	}
	return strconv.Itoa(int(s))
}

// ParseSeverity reads a word such as critical, CRIT or informational, or a number from 0 to 7.
func ParseSeverity(text string) (Severity, error) {
	lower := strings.ToLower(strings.TrimSpace(text))
	for i, name := range severities {
		if lower == name || lower == strconv.Itoa(i) {
			return Severity(i), nil
		}
	}
	if s, ok := otherSeverities[lower]; ok {
		return s, nil
	}
	return 0, fmt.Errorf("unknown severity %q: there are %s", text, strings.Join(severities[:], ", "))
}

// Facility says what part of a system a message is from (RFC 5424, 6.2.1).
type Facility uint8

// The facilities that network devices use.
const (
	Kern   Facility = 0
	User   Facility = 1
	Daemon Facility = 3
	Auth   Facility = 4
	Local0 Facility = 16
	Local7 Facility = 23
)

var facilities = [...]string{
	"kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp", "ntp", "audit",
	"console", "cron2", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
}

// String is the word for it, such as "local7".
func (f Facility) String() string {
	if int(f) < len(facilities) {
		return facilities[f]
	}
	return strconv.Itoa(int(f))
}

// ParseFacility reads a word such as local7, or a number from 0 to 23.
func ParseFacility(text string) (Facility, error) {
	lower := strings.ToLower(strings.TrimSpace(text))
	for i, name := range facilities {
		if lower == name || lower == strconv.Itoa(i) {
			return Facility(i), nil
		}
	}
	return 0, fmt.Errorf("unknown facility %q: there are %s", text, strings.Join(facilities[:], ", "))
}
