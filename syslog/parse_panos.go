package syslog

// panOS reads the comma-separated values of a PAN-OS: "1,2024/01/15 10:20:30,012345678901,SYSTEM,general,0,2024/01/15 10:20:30,...".
// Type and subtype are the mnemonic, the seventh value (when the event was) is the time. Of a system log the description is the
// text, of the others all of it.
func (r *reader) panOS(i int) bool {
	b := r.b
	_, end := number(b, i)
	if end > i+2 || len(b) < end+20 || b[end] != ',' || b[end+5] != '/' {
		return false
	}
	var received clock
	if comma := received.readISO(b, end+1); comma < 0 || comma >= len(b) || b[comma] != ',' {
		return false
	}
	outer := r.clock
	r.clock = received
	if !r.panOSLog(i, panOSValue(b, i, 3)) {
		r.clock = outer
		return false
	}
	return true
}

// panOSLog reads on at the type, which is the fourth value.
func (r *reader) panOSLog(i, kind int) bool {
	b := r.b
	subtype := panOSValue(b, kind, 1)
	after := panOSValue(b, subtype, 1)
	if after < 0 || kind == subtype-1 || !printable(b[kind:after-1]) {
		return false
	}
	r.m.Format, r.m.Mnemonic = FormatPANOS, b[kind:after-1]
	var generated clock
	if at := panOSValue(b, after, 1); at >= 0 && generated.readISO(b, at) > 0 {
		r.clock = generated
	}
	r.text(i)
	if string(b[kind:subtype-1]) == "SYSTEM" {
		r.panOSDescription(panOSValue(b, after, 9))
	}
	return true
}

// panOSDescription makes the value at i the text.
func (r *reader) panOSDescription(i int) {
	if i < 0 {
		return
	}
	end := panOSValue(r.b, i, 1)
	if end < 0 {
		return
	}
	text := r.b[i : end-1]
	if n := len(text); n >= 2 && text[0] == '"' && text[n-1] == '"' {
		text = text[1 : n-1]
	}
	if len(text) > 0 {
		r.m.Text = text
	}
}

// panOSValue is the place of the value so many behind the one at i: -1 if there are not so many. A value in quotation marks may hold
// commas.
func panOSValue(b []byte, i, further int) int {
	if i < 0 {
		return -1
	}
	quoted := false
	for ; i < len(b); i++ {
		switch {
		case b[i] == '"':
			quoted = !quoted
		case b[i] == ',' && !quoted:
			if further--; further == 0 {
				return i + 1
			}
		}
	}
	return -1
}
