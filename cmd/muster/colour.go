package main

// tone is what a piece of text means; on a terminal it has a colour.
type tone int

const (
	plain tone = iota
	good
	changed
	bad
	faint
)

// paint wraps text in the colour of its tone. The text has been escaped before.
func (t tone) paint(text string) string {
	code := ""
	switch t {
	case good:
		code = "32"
	case changed:
		code = "33"
	case bad:
		code = "31"
	case faint:
		code = "2"
	}
	if code == "" || text == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}
