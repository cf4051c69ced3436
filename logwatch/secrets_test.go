package logwatch_test

import (
	"strings"
	"testing"

	"github.com/musternet/muster/logwatch"
)

func TestWhatIsToldHoldsNoSecretOfALoggedCommand(t *testing.T) {
	t.Parallel()
	rules := []logwatch.Rule{{Name: "any", Text: "e"}}
	for name, c := range map[string]struct{ from, message, keeps string }{
		"ios":        {"192.0.2.1", "<189>1: r1: *Mar  1 18:46:11.123: %PARSER-5-CFGLOG_LOGGEDCMD: User:ada  logged command:username bob password 0 tops3cret", "User:ada  logged command:username bob password"},
		"ios secret": {"192.0.2.1", "<189>1: r1: *Mar  1 18:46:11.123: %PARSER-5-CFGLOG_LOGGEDCMD: User:ada  logged command:snmp-server community tops3cret RO", "logged command:snmp-server community"},
		"asa":        {"198.51.100.7", "<165>Nov 29 2026 04:08:48: %ASA-5-111008: User 'ada' executed the 'username bob password tops3cret' command.", "User 'ada' executed the 'username bob"},
	} {
		inBubble(t, logwatch.Config{Outlook: logwatch.Outlook{Rules: rules}}, func(b *bench) {
			b.says(c.from, c.message)
			if len(b.told()) != 1 {
				b.Fatalf("%s: %d events were told", name, len(b.told()))
			}
			e := b.told()[0]
			for _, text := range []string{e.Text, e.Log.Line.Message, e.Log.Line.Raw, string(e.Log.Line.RawBytes)} {
				if strings.Contains(text, "tops3cret") {
					b.Errorf("%s: people are told %q", name, text)
				}
			}
			if !strings.Contains(e.Log.Line.Message, c.keeps) {
				b.Errorf("%s: of the message is left %q", name, e.Log.Line.Message)
			}
			if l := b.archived()[0]; !strings.Contains(l.Raw, "tops3cret") {
				b.Errorf("%s: archived is %q", name, l.Raw)
			}
		})
	}
}
