package logwatch

// lateness is how many numbers back a message can be late and still be taken for that instead of for the count of a device that
// has begun anew.
const lateness = 1024

// mostMissing is the most that can be missing between two messages: a larger step is a count that began anew.
const mostMissing = 1 << 24

// gaps counts what is missing among numbered messages, by one sender's own numbers. Messages may come late or twice. A count that
// begins anew, as after a reboot, misses nothing: what was lost with it nobody knows.
type gaps struct {
	next uint64                // the number that is expected; 0: nothing has come yet
	seen [lateness / 64]uint64 // which of the last numbers have come, by their remainder
	back uint64                // the number of the last message that came a second time; 0: the last one did not
}

// take notes a number. missing is how many numbers were skipped right before it; late says that it was one that had been
// counted as missing.
func (g *gaps) take(n uint64) (missing int, late bool) {
	switch {
	case n == g.next:
	case n > g.next && g.next > 0 && n-g.next <= mostMissing:
		missing = int(n - g.next)
		for skipped := max(g.next, n-min(n, lateness)); skipped < n; skipped++ {
			g.mark(skipped, false)
		}
	case n < g.next && g.next-n <= lateness && !g.has(n):
		g.mark(n, true)
		g.back = 0
		return 0, true
	case n < g.next && g.next-n <= lateness && (g.back == 0 || n != g.back+1):
		g.back = n // once more; if the one after it comes once more too, the count has begun anew
		return 0, false
	default:
		g.seen = [lateness / 64]uint64{}
		for i := range g.seen {
			g.seen[i] = ^uint64(0) // what came before is not missing
		}
	}
	g.mark(n, true)
	g.next, g.back = n+1, 0
	return missing, false
}

func (g *gaps) mark(n uint64, came bool) {
	bit := uint64(1) << (n % 64)
	if word := &g.seen[n%lateness/64]; came {
		*word |= bit
	} else {
		*word &^= bit
	}
}

func (g *gaps) has(n uint64) bool { return g.seen[n%lateness/64]&(1<<(n%64)) != 0 }
