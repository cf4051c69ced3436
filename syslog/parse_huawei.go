package syslog

// huawei reads "%%01SHELL/5/CMDRECORD(l)[42]:", which is also H3C's: module, severity and name of the message are its mnemonic, the
// number in brackets its own number.
func (r *reader) huawei(i int) bool {
	b := r.b
	start := i + 4
	if len(b) < start+5 || b[i+1] != '%' || !isDigit(b[i+2]) || !isDigit(b[i+3]) {
		return false
	}
	start = skipSpaces(b, start)
	level := run(b, start, inName)
	if level == start || level+3 >= len(b) || b[level] != '/' || b[level+1]-'0' > 7 || b[level+2] != '/' {
		return false
	}
	end := run(b, level+3, inName)
	if end == level+3 {
		return false
	}
	next := end
	if next+2 < len(b) && b[next] == '(' && b[next+2] == ')' {
		next += 3
	}
	var sequence uint64
	if next < len(b) && b[next] == '[' {
		n, close := number(b, next+1)
		if close == next+1 || close == len(b) || b[close] != ']' {
			return false
		}
		sequence, next = n, close+1
	}
	if next = skipSpaces(b, next); next >= len(b) || b[next] != ':' && b[next] != ';' {
		return false
	}
	r.m.Format, r.m.Mnemonic, r.m.Sequence = FormatHuawei, b[start:end], sequence
	if !r.m.Prioritized {
		r.m.Severity = Severity(b[level+1] - '0')
	}
	r.text(skipSpaces(b, next+1))
	return true
}
