package sim

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// The faults of a simulated ISE's answers.
const (
	iseFault500       = "500"
	iseFault503       = "503"
	iseFault429       = "429"
	iseFaultReset     = "reset"
	iseFaultLost      = "lost"
	iseFaultTruncated = "truncated"
	iseFaultHang      = "hang"
	iseFaultRedirect  = "redirect"
	iseFaultHTML      = "html"
)

// iseKinds is the table of faults, sorted by name.
var iseKinds = []Kind{
	{Name: iseFault429, Meaning: "It answers 429, and does nothing."},
	{Name: iseFault500, Meaning: "It answers 500, and does nothing."},
	{Name: iseFault503, Meaning: "A gateway answers 503 in HTML, and nothing is done."},
	{Name: iseFaultHang, Meaning: "It does not answer."},
	{Name: iseFaultHTML, Meaning: "It answers 200 with a page of HTML."},
	{Name: iseFaultLost, Meaning: "It does what it is asked for, and resets the connection instead of answering."},
	{Name: iseFaultRedirect, Meaning: "It redirects to the host of its links."},
	{Name: iseFaultReset, Meaning: "It resets the connection, and does nothing."},
	{Name: iseFaultTruncated, Meaning: "It does what it is asked for, and closes the connection in the middle of the answer."},
}

// ISEKinds returns the table of the faults of a simulated ISE, sorted by name.
func ISEKinds() []Kind { return slices.Clone(iseKinds) }

// ISEShare is a part of the answers that has a fault.
type ISEShare struct {
	Kind  string
	Share float64 // from 0 to 1
}

// ParseISEShare reads "KIND:SHARE", the share as "1%" or "0.01".
func ParseISEShare(s string) (ISEShare, error) {
	name, text, ok := strings.Cut(s, ":")
	if !ok {
		return ISEShare{}, fmt.Errorf("fault %q: want KIND:SHARE, such as reset:1%%", s)
	}
	number, percent := strings.CutSuffix(text, "%")
	share, err := strconv.ParseFloat(number, 64)
	if err != nil {
		return ISEShare{}, fmt.Errorf("fault %q: the share is no number, such as 1%% or 0.01", s)
	}
	if percent {
		share /= 100
	}
	parsed := ISEShare{Kind: name, Share: share}
	return parsed, parsed.check()
}

func (s ISEShare) check() error {
	if !slices.ContainsFunc(iseKinds, func(k Kind) bool { return k.Name == s.Kind }) {
		names := make([]string, len(iseKinds))
		for i, k := range iseKinds {
			names[i] = k.Name
		}
		return fmt.Errorf("unknown fault %q of an ISE: there are %s", s.Kind, strings.Join(names, ", "))
	}
	if !(s.Share >= 0 && s.Share <= 1) {
		return fmt.Errorf("fault %s: a share is from 0 to 1, or from 0%% to 100%%", s.Kind)
	}
	return nil
}

// faultOf draws the fault of the n-th request.
func (i *ISE) faultOf(n int) string {
	if len(i.config.Faults) == 0 {
		return ""
	}
	var seed [32]byte
	binary.BigEndian.PutUint64(seed[:], i.config.Seed)
	binary.BigEndian.PutUint64(seed[8:], uint64(n))
	drawn := rand.New(rand.NewChaCha8(seed)).Float64()
	for _, f := range i.config.Faults {
		if drawn < f.Share {
			i.counts.faults.Add(1)
			return f.Kind
		}
		drawn -= f.Share
	}
	return ""
}

// early answers what is spoilt before anything is done. It reports whether it did.
func (n *iseNode) early(w http.ResponseWriter, r *http.Request, fault string) bool {
	switch fault {
	case iseFault429:
		writeError(w, http.StatusTooManyRequests, r.Method, "Too many requests", "Rate limit exception")
	case iseFault500:
		writeError(w, http.StatusInternalServerError, r.Method, "Internal server error", "Application internal exception")
	case iseFault503:
		writeHTML(w, http.StatusServiceUnavailable, "503 Service Temporarily Unavailable")
	case iseFaultHTML:
		writeHTML(w, http.StatusOK, "Identity Services Engine")
	case iseFaultRedirect:
		http.Redirect(w, r, "https://"+n.ise.config.LinkHost+r.URL.RequestURI(), http.StatusFound)
	case iseFaultReset:
		reset(w)
	case iseFaultHang:
		<-r.Context().Done()
	default:
		return false
	}
	return true
}

// reset resets the connection of a request.
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	inner := conn
	if secured, ok := conn.(*tlsConn); ok {
		inner = secured.NetConn()
	}
	if counted, ok := inner.(*countedConn); ok {
		counted.reset()
	}
}
