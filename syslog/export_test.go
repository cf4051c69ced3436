package syslog

// Frames cuts what comes in some chunks, after which the connection ends, into messages of at most limit bytes. It also says how many
// counts were wrong.
func Frames(limit int, chunks ...[]byte) (messages []string, bad int) {
	f := framer{max: limit}
	var buf []byte
	cut := func(s streamState) {
		for {
			found := f.next(buf, s)
			if found.n == 0 {
				return
			}
			if found.to > found.from {
				message := string(buf[found.from:found.to])
				if found.cut {
					message += "..."
				}
				messages = append(messages, message)
			}
			buf = buf[found.n:]
		}
	}
	for _, c := range chunks {
		buf = append(buf, c...)
		cut(more)
	}
	cut(ended)
	if len(buf) > 0 {
		panic("the framer left bytes behind")
	}
	return messages, int(f.bad)
}

// FramesStale is Frames where nothing came for long after data, and what is left then.
func FramesStale(limit int, data string) (messages []string, left string) {
	f := framer{max: limit}
	buf := []byte(data)
	for {
		found := f.next(buf, stale)
		if found.n == 0 {
			return messages, string(buf)
		}
		if found.to > found.from {
			messages = append(messages, string(buf[found.from:found.to]))
		}
		buf = buf[found.n:]
	}
}
