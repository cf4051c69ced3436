package session

import (
	"bytes"
	"context"
	"regexp"
)

// usualPagers are answered where a Shell names none. Each must be the whole of the last line.
var usualPagers = []Pager{
	{regexp.MustCompile(`(?i)^[ \t]*[-<([{]+[ -]*\(?more\)?\b[^\r\n]{0,100}[ ]*$`), " "},                                                                                          // --More--, <--- More --->, ---(more 42%)---, -- MORE --, next page: Space, ...
	{regexp.MustCompile(`(?i)^[ \t]*more:? ?<(space|return)>[^\r\n]{0,100}$`), " "},                                                                                               // More: <space>,  Quit: q, One line: <return>
	{regexp.MustCompile(`^(lines \d+(-\d+)?(/\d+)? ?)?\(END\)[^\r\n]{0,60}$`), "q"},                                                                                               // less at the end
	{regexp.MustCompile(`^lines \d+-\d+(/\d+)?( \d+%| \(END\))?[ ]*$`), " "},                                                                                                      // less -M
	{regexp.MustCompile(`(?i)^[ \t]*(-+ *)?(press|hit|type) +(any key|<?(space|enter|return)( ?bar)?>?|the space ?bar)\b[^\r\n]{0,40}\b(continue|more|next)[^\r\n]{0,60}$`), " "}, // Press any key to continue (Q to quit)
	{regexp.MustCompile(`(?i)^(ctrl\+c|esc)[^\r\n]{0,40}\bquit\b[^\r\n]{0,20}\bspace\b[^\r\n]{0,40}next[^\r\n]{0,60}$`), "a"},                                                     // CTRL+C ESC q Quit SPACE n Next Page ENTER Next Entry a All
	{regexp.MustCompile(`^-- \[Q quit\|[^\r\n]{0,60}\][ ]*$`), " "},                                                                                                               // RouterOS
}

// lessPagers are those of less on its alternate screen, too short to be told from text elsewhere.
var lessPagers = []Pager{
	{regexp.MustCompile(`^:$`), " "},
	{regexp.MustCompile(`^\S{1,80} ?\(END\)$`), "q"},
}

// usualLogins are questions before the first prompt that only want a key.
var usualLogins = []Reply{
	{Match: regexp.MustCompile(`(?i)press (any key|return|enter|<enter>|<return>)[^\r\n]{0,60}[.:]?[ ]*$`), Answer: line("")},
}

// pagerOn returns the pager that stands on the line and where it begins, or nil.
func pagerOn(pagers []Pager, line []byte) (*Pager, int) {
	if len(line) == 0 || len(line) > maxPrompt {
		return nil, 0
	}
	for i := range pagers {
		if at := pagers[i].Match.FindIndex(line); at != nil && len(bytes.TrimSpace(line[at[1]:])) == 0 {
			return &pagers[i], at[0]
		}
	}
	return nil, 0
}

// line answers with a fixed line.
func line(text string) func(context.Context) (string, error) {
	return func(context.Context) (string, error) { return text, nil }
}
