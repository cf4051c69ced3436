package main

import (
	"bytes"
	"encoding/json"
	"strconv"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// encodeJSON is valid JSON in UTF-8 for whatever a device has put into the strings of v: bytes that are not UTF-8 become
// the replacement character, and what a terminal would obey or hide is written as an escape, which reads back the same.
// Indent is empty for one line.
func encodeJSON(v any, indent string) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", indent)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return escapeJSON(bytes.TrimSuffix(b.Bytes(), []byte("\n"))), nil
}

// escapeJSON escapes in JSON text what encoding/json leaves as it is. Such characters stand inside strings only.
func escapeJSON(text []byte) []byte {
	if plainASCII(text) {
		return text
	}
	out := text[:0:0]
	last := 0
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRune(text[i:])
		if r != '\n' && !unicode.IsPrint(r) {
			out = append(out, text[last:i]...)
			out = appendEscape(out, r)
			last = i + n
		}
		i += n
	}
	if last == 0 {
		return text
	}
	return append(out, text[last:]...)
}

// plainASCII tells whether there is nothing to escape in most text.
func plainASCII(text []byte) bool {
	for _, c := range text {
		if (c < ' ' || c > '~') && c != '\n' {
			return false
		}
	}
	return true
}

func appendEscape(out []byte, r rune) []byte {
	if r1, r2 := utf16.EncodeRune(r); r1 != unicode.ReplacementChar {
		return appendUnit(appendUnit(out, r1), r2)
	}
	return appendUnit(out, r)
}

func appendUnit(out []byte, r rune) []byte {
	digits := strconv.FormatInt(int64(r), 16)
	return append(append(append(out, `\u`...), "0000"[len(digits):]...), digits...)
}

// withIndex puts "index" in front of the fields of a JSON object.
func withIndex(index int, object []byte) []byte {
	out := append([]byte(`{"index":`), strconv.Itoa(index)...)
	if len(object) > 2 {
		out = append(out, ',')
	}
	return append(out, object[1:]...)
}
