package sim

import (
	"bytes"
	"io"
)

// maxLine is the longest line that a device takes.
const maxLine = 4096

// key reads one key.
func (s *shell) key() (byte, error) {
	if err := s.fill(); err != nil {
		return 0, err
	}
	key := s.in[0]
	s.in = s.in[1:]
	return key, nil
}

// fill waits for input, after everything that is to be read before has been written.
func (s *shell) fill() error {
	if len(s.in) > 0 {
		return nil
	}
	if err := s.flush(); err != nil {
		return err
	}
	s.extend()
	n, err := s.ch.Read(s.chunk[:])
	if n == 0 {
		return cmpErr(err, io.ErrUnexpectedEOF)
	}
	s.in = s.chunk[:n]
	return nil
}

// line reads a line, up to CR, LF or both, and echoes it. Backspace, Ctrl-U and Ctrl-C do what they do.
func (s *shell) line(echo bool) ([]byte, error) {
	var line []byte
	for {
		if err := s.fill(); err != nil {
			return nil, err
		}
		if s.skipLF && s.in[0] == '\n' {
			s.in = s.in[1:]
			s.skipLF = false
			continue
		}
		s.skipLF = false
		i := bytes.IndexAny(s.in, "\r\n\b\x7f\x15\x03")
		text := s.in
		if i >= 0 {
			text = s.in[:i]
		}
		line = append(line, text...)
		if echo {
			s.out = append(s.out, text...)
		}
		if len(line) > maxLine {
			return nil, errLine
		}
		if i < 0 {
			s.in = nil
			continue
		}
		key := s.in[i]
		s.in = s.in[i+1:]
		switch key {
		case '\r', '\n':
			s.skipLF = key == '\r'
			if echo {
				s.out = append(s.out, "\r\n"...)
			}
			return line, nil
		default:
			line = s.edit(line, key, echo)
		}
	}
}

// edit takes back the last character, or all of them.
func (s *shell) edit(line []byte, key byte, echo bool) []byte {
	n := min(len(line), 1)
	if key == '\x15' || key == '\x03' {
		n = len(line)
	}
	if echo {
		s.out = append(s.out, bytes.Repeat([]byte("\b \b"), n)...)
	}
	return line[:len(line)-n]
}
