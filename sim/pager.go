package sim

import "bytes"

// page prints text until the screen is full, and goes on as the keys say: a line, a page, or not at all.
func (s *shell) page(text []byte) error {
	pager := s.script.recording.Pager
	room := s.pageLines()
	for len(text) > 0 {
		if room == 0 {
			s.print([]byte(pager.Prompt))
			key, err := s.key()
			if err != nil {
				return err
			}
			s.out = append(s.out, pager.Erase...)
			switch key {
			case ' ':
				room = s.pageLines()
			case '\r', '\n':
				room = 1
			default:
				return nil
			}
		}
		n := bytes.IndexByte(text, '\n') + 1
		if n == 0 {
			n = len(text)
		}
		s.print(text[:n])
		text = text[n:]
		room--
	}
	return nil
}

// pageLines is the height of the terminal less the pager's own line; without a terminal it is what was recorded.
func (s *shell) pageLines() int {
	if h := int(s.height.Load()); h > 1 {
		return h - 1
	}
	return max(s.script.recording.Pager.Lines, 1)
}
