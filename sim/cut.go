package sim

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"github.com/musternet/muster/platform"
)

// cutter cuts recorded texts at what is the device's own: its name and its address, and at times and counters.
type cutter struct {
	host    string
	address string
	facts   []string // version, model, serial: lines that hold one stay as they are
}

// ownAddress finds the first address that a configuration gives to an interface, with its mask.
var ownAddress = regexp.MustCompile(`(?m)(?:^|\s)(?:address|addr|ip|inet)[ =](?:ipv4 )?((?:\d{1,3}\.){3}\d{1,3})(?:/\d| 255\.)`)

func newCutter(r *platform.Recording) *cutter {
	c := &cutter{host: r.Host}
	if m := ownAddress.FindStringSubmatch(r.Want.Config); m != nil {
		c.address = m[1]
	}
	for _, fact := range []string{r.Want.Version, r.Want.Model, r.Want.Serial} {
		if fact != "" {
			c.facts = append(c.facts, fact)
		}
	}
	return c
}

// span is a place in a text that becomes a part of its own.
type span struct {
	from, to int
	kind     partKind
}

// cut cuts at the device's name and address, and at times of day where clocks is set.
func (c *cutter) cut(s string, clocks bool) text {
	spans := slices.Concat(words(s, c.host, host), words(s, c.address, address))
	if clocks {
		spans = append(spans, matches(s, timeOfDay, clock)...)
	}
	return parts(s, spans)
}

var (
	timeOfDay = regexp.MustCompile(`\b([01]\d|2[0-3]):[0-5]\d:[0-5]\d\b`)
	tally     = regexp.MustCompile(`\b\d{3,18}\b`)
	year      = regexp.MustCompile(`^(19|20)\d\d$`)
)

// volatile cuts a line that is no configuration: also at its counters.
func (c *cutter) volatile(line string) text {
	if slices.ContainsFunc(c.facts, func(fact string) bool { return strings.Contains(line, fact) }) {
		return c.cut(line, true)
	}
	spans := slices.Concat(words(line, c.host, host), words(line, c.address, address), matches(line, timeOfDay, clock))
	for _, s := range matches(line, tally, counter) {
		if standsAlone(line, s.from, s.to) && !year.MatchString(line[s.from:s.to]) {
			spans = append(spans, s)
		}
	}
	return parts(line, spans)
}

// salted cuts a line of which values are served that are not stored.
func (c *cutter) salted(u unit) text {
	body := strings.TrimRight(u.served, blanks)
	spans, _ := saltedIn(body, strings.TrimRight(u.stored, blanks))
	var t text
	at := 0
	for _, s := range spans {
		t = append(t, both.of(c.cut(body[at:s.from], false))...)
		t = append(t, part{kind: salt, where: served, text: body[s.from:s.to]}, part{where: stored, text: salted})
		at = s.to
	}
	t = append(t, both.of(c.cut(body[at:], false))...)
	return append(t, part{where: served, text: u.served[len(body):]}, part{where: stored, text: "\n"})
}

// standsAlone reports whether a number is no part of a date, a version or a name.
func standsAlone(s string, from, to int) bool {
	before := from == 0 || strings.ContainsRune(" :=(,\t", rune(s[from-1]))
	after := to == len(s) || strings.ContainsRune(" ,;)\t\r\n", rune(s[to]))
	return before && after
}

func matches(s string, re *regexp.Regexp, kind partKind) []span {
	var spans []span
	for _, m := range re.FindAllStringIndex(s, -1) {
		spans = append(spans, span{m[0], m[1], kind})
	}
	return spans
}

// words finds word where nothing beside it could belong to it.
func words(s, word string, kind partKind) []span {
	var spans []span
	for i := 0; word != ""; {
		at := strings.Index(s[i:], word)
		if at < 0 {
			break
		}
		from := i + at
		i = from + len(word)
		if (from == 0 || !wordByte(s[from-1])) && (i == len(s) || !wordByte(s[i])) {
			spans = append(spans, span{from, i, kind})
		}
	}
	return spans
}

func wordByte(b byte) bool {
	return b == '-' || b == '_' || b >= '0' && b <= '9' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z'
}

// parts cuts s at the spans; of two that overlap the first stays.
func parts(s string, spans []span) text {
	slices.SortStableFunc(spans, func(a, b span) int { return cmp.Compare(a.from, b.from) })
	var t text
	at := 0
	for _, sp := range spans {
		if sp.from < at {
			continue
		}
		if sp.from > at {
			t = append(t, part{kind: literal, where: served, text: s[at:sp.from]})
		}
		t = append(t, part{kind: sp.kind, where: served, text: s[sp.from:sp.to]})
		at = sp.to
	}
	if at < len(s) {
		t = append(t, part{kind: literal, where: served, text: s[at:]})
	}
	return t
}
