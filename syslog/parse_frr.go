package syslog

// frr reads "[M59KS-A3ZXZ] ", the identifier that FRR gives to each message in its code. It stays the same when words change.
func (r *reader) frr(i int) bool {
	b := r.b
	if len(b) < i+13 || b[i+6] != '-' || b[i+12] != ']' {
		return false
	}
	for j := i + 1; j < i+12; j++ {
		if j != i+6 && !isUpper(b[j]) && !isDigit(b[j]) {
			return false
		}
	}
	r.m.Format, r.m.Mnemonic = FormatFRR, b[i+1:i+12]
	r.text(skipSpaces(b, i+13))
	return true
}
