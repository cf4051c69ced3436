package syslog_test

import (
	"fmt"
	"time"

	"github.com/musternet/muster/syslog"
)

func ExampleParse() {
	m := syslog.Parse([]byte("<189>1234: sw1: *Mar  1 18:46:11.123: %SYS-5-CONFIG_I: Configured from console by admin on vty0 (10.0.0.1)"))
	fmt.Println(m.Format, m.Facility, m.Severity)
	fmt.Printf("%s %s %d\n", m.Host, m.Mnemonic, m.Counter)
	fmt.Println(m.Quality)
	fmt.Printf("%s\n", m.Text)
	// Output:
	// cisco_ios local7 notice
	// sw1 SYS-5-CONFIG_I 1234
	// ms,unsynced
	// Configured from console by admin on vty0 (10.0.0.1)
}

func ExampleParser_Parse() {
	p := syslog.Parser{Location: time.FixedZone("CET", 3600)} // of devices that do not tell their zone
	received := time.Date(2026, 1, 1, 0, 0, 3, 0, time.UTC)
	m := p.Parse([]byte("<38>Jan  1 01:00:02 host1 sshd[1234]: Accepted password for admin from 10.0.0.1 port 50022 ssh2"), received)
	fmt.Printf("%s %s[%s] %s\n", m.Time, m.App, m.ProcID, m.Quality)
	// Output:
	// 2026-01-01 00:00:02 +0000 UTC sshd[1234] s
}

func ExampleMessage_Pairs() {
	m := syslog.Parse([]byte(`<165>1 2026-03-01T18:46:11.123Z mx1 mgd 3046 UI_COMMIT [junos@2636.1.1.1.2.18 username="admin" command="commit"] -`))
	for p := range m.Pairs() {
		fmt.Printf("%s=%s\n", p.Name, p.Value)
	}
	// Output:
	// username=admin
	// command=commit
}
