package platform

import (
	"regexp"
	"strings"
	"sync"
)

// maxBanner is how much of a banner is looked at: what RFC 4253 lets an identification line be.
const maxBanner = 255

// Guess says of which platform a server's first line speaks, such as "SSH-2.0-Cisco-1.25", without a login. It looks at
// the first line of banner that is not blank. It is a guess: a line that several platforms say names the one that is
// met most, and where Linux answers for what runs on it, as for FRR, the guess is linux. ok is false for a line that is
// anybody's, such as that of a plain OpenSSH; Detect is sure.
func Guess(banner string) (name string, ok bool) {
	line, _, _ := strings.Cut(strings.TrimSpace(banner[:min(len(banner), maxBanner)]), "\n")
	line = strings.TrimSpace(line)
	for _, r := range bannerRules() {
		for _, p := range r.patterns {
			if p.MatchString(line) {
				return r.name, true
			}
		}
	}
	return "", false
}

// bannerRule is what the servers of a platform say first.
type bannerRule struct {
	name     string
	patterns []*regexp.Regexp
}

// bannerRules holds the platforms whose servers give them away. The first that matches wins; a test demands that no two
// match the same example, so that their order decides nothing.
var bannerRules = sync.OnceValue(func() []bannerRule {
	var rules []bannerRule
	for _, name := range names() {
		if patterns := definitions()[name]().file.Detect.Banner; len(patterns) > 0 {
			rules = append(rules, bannerRule{name, compileAll(patterns)})
		}
	}
	return rules
})
