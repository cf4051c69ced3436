package syslog_test

import (
	"testing"
	"time"

	"github.com/musternet/muster/syslog"
)

// BenchmarkParse is what one message costs, in the forms that most devices send.
func BenchmarkParse(b *testing.B) {
	for _, c := range []struct{ name, message string }{
		{"ios", "<189>123: sw1: *Mar  1 18:46:11.123: %SYS-5-CONFIG_I: Configured from console by admin on vty0 (10.0.0.1)"},
		{"ios zone", "<189>123: sw1: 000104: Mar  1 18:46:11.123 CEST: %SYS-5-CONFIG_I: Configured from console by admin on vty0 (10.0.0.1)"},
		{"rfc3164", "<38>Mar  1 18:46:11 host1 sshd[1234]: Accepted password for admin from 10.0.0.1 port 50022 ssh2"},
		{"rfc5424", "<38>1 2026-03-01T18:46:11.123456+01:00 host1 sshd 1234 - - Accepted password for admin from 10.0.0.1 port 50022 ssh2"},
		{"junos", `<165>1 2026-03-01T18:46:11.123Z mx1 mgd 3046 UI_COMMIT [junos@2636.1.1.1.2.18 username="user" command="commit"] User 'user' requested 'commit' operation`},
		{"fortios", `<189>date=2026-03-01 time=18:46:11 devname="fw1" devid="FG100F" eventtime=1772387171123456789 tz="+0100" logid="0100032001" type="event" subtype="system" level="notice" vd="root" user="admin" msg="Administrator admin logged in"`},
		{"text", "<13>nothing that anybody knows the form of, but long enough to be a message"},
	} {
		b.Run(c.name, func(b *testing.B) {
			raw, now := []byte(c.message), time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
			var p syslog.Parser
			var m syslog.Message
			b.ReportAllocs()
			for b.Loop() {
				p.ParseInto(&m, raw, now)
			}
		})
	}
}
