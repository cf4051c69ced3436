package syslog

// rfc5424 reads a message whose header is RFC 5424's. Without <PRI> it takes a time to tell it from text.
func (r *reader) rfc5424(i int) bool {
	b := r.b
	version, end := number(b, i)
	if end == i || end > i+3 || version == 0 || b[i] == '0' || end+1 >= len(b) || b[end] != ' ' {
		return false
	}
	var c clock
	if i = end + 1; b[i] == '-' && r.m.Prioritized {
		i++
	} else if i = c.read(b, i); i < 0 || !c.iso {
		return false
	}
	var words [4][]byte
	for n := range words {
		if i >= len(b) || b[i] != ' ' {
			return false
		}
		end := run(b, i+1, inWord)
		if end == i+1 {
			return false
		}
		words[n], i = wordOrNone(b[i+1:end]), end
	}
	if i < len(b) && b[i] != ' ' {
		return false
	}
	r.clock = c
	r.m.Format = FormatRFC5424
	r.m.Host, r.m.App, r.m.ProcID, r.m.MsgID = words[0], words[1], words[2], words[3]
	r.structured(i)
	return true
}

// wordOrNone is a word of the header: nil for RFC 5424's "-".
func wordOrNone(b []byte) []byte {
	if len(b) == 0 || len(b) == 1 && b[0] == '-' {
		return nil
	}
	return b
}

// structured reads structured data and the text behind it. Where a sender leaves the data out, all is text.
func (r *reader) structured(i int) {
	b := r.b
	if i = min(i+1, len(b)); i < len(b) && b[i] == '-' && (i+1 == len(b) || b[i+1] == ' ') {
		i++
	} else if end := r.elements(i); end > i {
		r.m.Data = b[i:end]
		i = end
	}
	if i < len(b) && b[i] == ' ' {
		i++
	}
	mark := len(b[i:]) - len(trimMark(b[i:]))
	if i += mark; r.within5424(i) {
		return
	}
	if mark == 0 { // rsyslog as a relay puts a second space in front
		i = skipSpaces(b, i)
	}
	r.plain(i)
}

// elements reads [id name="value" ...][...] and returns where the last one ends: i if they are not whole.
func (r *reader) elements(i int) int {
	b := r.b
	j := i
	for j < len(b) && b[j] == '[' {
		end := r.element(j)
		if end < 0 {
			return i
		}
		j = end
	}
	if j < len(b) && b[j] != ' ' {
		return i
	}
	return j
}

// element reads one [id name="value" ...], and from meta the number of the message (RFC 5424, 7.3.1).
func (r *reader) element(i int) int {
	b := r.b
	j := nameEnd(b, i+1)
	if j == i+1 {
		return -1
	}
	meta := string(b[i+1:j]) == "meta"
	for j < len(b) && b[j] == ' ' {
		name := j + 1
		equals := nameEnd(b, name)
		if equals == name || equals+1 >= len(b) || b[equals] != '=' || b[equals+1] != '"' {
			return -1
		}
		value := equals + 2
		if j = valueEnd(b, value); j < 0 {
			return -1
		}
		if meta && string(b[name:equals]) == "sequenceId" {
			if n, end := number(b, value); end == j {
				r.m.Sequence = n
			}
		}
		j++
	}
	if j >= len(b) || b[j] != ']' {
		return -1
	}
	return j + 1
}

// nameEnd is where an SD-NAME ends.
func nameEnd(b []byte, i int) int {
	for i < len(b) && class[b[i]]&inWord != 0 && b[i] != '=' && b[i] != ']' && b[i] != '"' {
		i++
	}
	return i
}

// valueEnd is the place of the quotation mark that ends a value: -1 if there is none. Senders forget to escape a bracket; that is
// no reason not to understand them.
func valueEnd(b []byte, i int) int {
	for ; i < len(b); i++ {
		switch b[i] {
		case '"':
			return i
		case '\\':
			i++
		}
	}
	return -1
}
