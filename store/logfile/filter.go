package logfile

import (
	"bytes"
	"net/netip"
	"slices"

	"github.com/musternet/muster"
	"github.com/musternet/muster/store"
)

// filter finds the lines that a query wants.
type filter struct {
	query   store.LogQuery
	senders map[string]bool // the query's devices, as they may stand in a line and in an index
	worst   int             // rank of the query's severity; unranked: any
	literal []byte          // in every line that is wanted, in small letters; empty: none is known
	letters bool            // the literal has letters
}

func newFilter(q store.LogQuery) *filter {
	l := literalOf(q.Text, q.Match)
	f := &filter{query: q, worst: unranked, literal: []byte(l), letters: hasLetters(l)}
	if q.Severity != "" {
		f.worst, _ = store.SeverityRank(q.Severity)
	}
	if len(q.Devices) > 0 {
		f.senders = make(map[string]bool)
	}
	for _, d := range q.Devices {
		f.senders[d] = true
		if addr, err := netip.ParseAddr(d); err == nil {
			addr = addr.Unmap()
			f.senders[addr.String()] = true
			if addr.Is4() {
				f.senders[netip.AddrFrom16(addr.As16()).String()] = true
			}
		}
	}
	return f
}

// skips tells whether a segment with this index has no line that is wanted.
func (f *filter) skips(ix *index) bool {
	if ix == nil || ix.Odd > 0 || ix.Lines == 0 {
		return false
	}
	q := &f.query
	if !q.Since.IsZero() && ix.Last.Before(q.Since) || !q.Until.IsZero() && !ix.First.Before(q.Until) {
		return true
	}
	if rank, ok := store.SeverityRank(ix.Worst); f.worst != unranked && (!ok || rank > f.worst) {
		return true
	}
	return f.senders != nil && ix.Complete && !slices.ContainsFunc(ix.Senders, func(s string) bool { return f.senders[s] })
}

// span is where a line lies in a block, without its line feed.
type span struct{ from, to int }

// candidates returns the lines of a block that may be wanted, in their order.
func (f *filter) candidates(lines []byte, s *scratch) (found []span) {
	if len(f.literal) == 0 {
		for from := 0; from < len(lines); {
			to := lineEnd(lines, from)
			if f.may(lines[from:to], s) {
				found = append(found, span{from, to})
			}
			from = to + 1
		}
		return found
	}
	text := lines
	if f.letters {
		s.lower = sized(s.lower, len(lines))
		toLower(s.lower, lines)
		text = s.lower
	}
	for from := 0; from < len(lines); {
		i := bytes.Index(text[from:], f.literal)
		if i < 0 {
			break
		}
		begin := from + bytes.LastIndexByte(text[from:from+i], '\n') + 1
		to := lineEnd(text, from+i)
		if f.may(lines[begin:to], s) {
			found = append(found, span{begin, to})
		}
		from = to + 1
	}
	return found
}

// lineEnd returns where the line that holds position i ends.
func lineEnd(lines []byte, i int) int {
	if n := bytes.IndexByte(lines[i:], '\n'); n >= 0 {
		return i + n
	}
	return len(lines)
}

// may tells whether a line may be wanted, by what can be seen before it is decoded. A line that is none may: it is to be reported.
func (f *filter) may(line []byte, s *scratch) bool {
	return !isShaped(line) || f.mayBeOfThen(line) && f.mayBeOf(line) && f.mayBeBad(line) &&
		mayFit(line, memberApp, f.query.App) && mayFit(line, memberMnemonic, f.query.Mnemonic) && f.mayMatch(line, s)
}

func (f *filter) mayBeOfThen(line []byte) bool {
	q := &f.query
	if q.Since.IsZero() && q.Until.IsZero() {
		return true
	}
	at, known := receivedOf(line)
	return !known || (q.Since.IsZero() || !at.Before(q.Since)) && (q.Until.IsZero() || at.Before(q.Until))
}

func (f *filter) mayBeOf(line []byte) bool {
	if f.senders == nil {
		return true
	}
	device, named := member(line, memberDevice)
	source, sourced := member(line, memberSource)
	return !named || !sourced || f.senders[string(device)] || f.senders[string(source)]
}

func (f *filter) mayBeBad(line []byte) bool {
	if f.worst == unranked {
		return true
	}
	severity, known := member(line, memberSeverity)
	rank, ok := store.SeverityRank(string(severity))
	return !known || ok && rank <= f.worst
}

func (f *filter) mayMatch(line []byte, s *scratch) bool {
	if f.query.Match == nil {
		return true
	}
	raw, known := memberInto(&s.text, line, memberRaw)
	return !known || f.query.Match.Match(raw)
}

func mayFit(line, name []byte, pattern string) bool {
	if pattern == "" {
		return true
	}
	value, known := member(line, name)
	return !known || store.Glob(pattern, string(value))
}

// hit is a line that is wanted, or what was in its way.
type hit struct {
	line muster.LogLine
	err  error
}

// hits returns the lines of a block that are wanted, at most so many; 0: all.
func (f *filter) hits(t *text, lines []byte, offset int64, s *scratch, most int) (all []hit) {
	spans := f.candidates(lines, s)
	if f.query.Newest {
		slices.Reverse(spans)
	}
	for _, p := range spans {
		l, err := decode(lines[p.from:p.to])
		if err != nil {
			all = append(all, hit{err: &LineError{File: t.name, Offset: placeOf(offset, p.from), Err: err}})
			continue
		}
		if !f.query.Matches(&l) {
			continue
		}
		if all = append(all, hit{line: l}); most > 0 && len(all) >= most {
			break
		}
	}
	return all
}

func placeOf(offset int64, from int) int64 {
	if offset < 0 {
		return -1
	}
	return offset + int64(from)
}
