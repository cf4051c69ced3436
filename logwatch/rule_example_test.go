package logwatch_test

import (
	"fmt"

	"github.com/musternet/muster/logwatch"
	"github.com/musternet/muster/syslog"
)

func ExampleNewFilter() {
	bad := syslog.Error
	rules := []logwatch.Rule{
		{Name: "link-down", Mnemonics: []string{"LINK-?-UPDOWN"}, Match: `changed state to (?:administratively )?down`},
		{Name: "bad", Severity: &bad},
	}
	filter, err := logwatch.NewFilter(rules, logwatch.Noise())
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, raw := range []string{
		"<187>44: sw1: Jul 14 12:00:00.001: %LINK-3-UPDOWN: Interface GigabitEthernet0/1, changed state to down",
		"<83>Jul 14 12:00:00 srv1 sshd[4711]: error: kex_exchange_identification: Connection closed by remote host",
	} {
		m := syslog.Parse([]byte(raw))
		hits, noise := filter.Match(nil, &m, nil)
		for _, i := range hits {
			fmt.Printf("%s: %s\n", rules[i].Name, m.Text)
		}
		if noise != "" {
			fmt.Println("noise:", noise)
		}
	}
	// Output:
	// link-down: Interface GigabitEthernet0/1, changed state to down
	// bad: Interface GigabitEthernet0/1, changed state to down
	// noise: sshd-identification
}
