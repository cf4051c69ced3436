package probe

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/musternet/muster"
	"golang.org/x/net/dns/dnsmessage"
)

// errTruncated is the error of an answer that did not fit into a datagram.
var errTruncated = errors.New("the answer is truncated")

// rcodes are the answers other than NOERROR, in words.
var rcodes = map[dnsmessage.RCode]string{
	dnsmessage.RCodeFormatError:    "FORMERR: it does not understand the question",
	dnsmessage.RCodeServerFailure:  "SERVFAIL: it could not find out",
	dnsmessage.RCodeNameError:      "NXDOMAIN: there is no such name",
	dnsmessage.RCodeNotImplemented: "NOTIMP: it does not answer such questions",
	dnsmessage.RCodeRefused:        "REFUSED: it does not answer us",
}

// isReply tells whether a message is a reply to a question.
func isReply(message []byte, id uint16, q dnsmessage.Question) bool {
	var p dnsmessage.Parser
	h, err := p.Start(message)
	if err != nil || !h.Response || h.ID != id {
		return false
	}
	got, err := p.Question()
	if errors.Is(err, dnsmessage.ErrSectionDone) {
		return h.RCode != dnsmessage.RCodeSuccess // who refuses may leave the question out
	}
	return err == nil && got.Type == q.Type && got.Class == q.Class && strings.EqualFold(got.Name.String(), q.Name.String())
}

// read judges a reply and returns the answer that counts, in words.
func (p *dns) read(reply []byte, network string) (string, error) {
	wrong := func(format string, args ...any) error {
		return failf(muster.StageCommand, "wrong-answer", p.words+": "+format, args...)
	}
	h, answers, err := parseReply(reply, p.question.Type)
	switch {
	case h.Truncated && network == "udp":
		return "", errTruncated
	case err != nil:
		return "", wrong("the answer cannot be read: %w", err)
	case h.RCode != dnsmessage.RCodeSuccess:
		return "", wrong("%s", rcodeWords(h.RCode))
	case len(answers) == 0:
		return "", wrong("NOERROR, but there is none")
	}
	same := func(a string) bool {
		return strings.EqualFold(strings.TrimSuffix(a, "."), strings.TrimSuffix(p.answer, "."))
	}
	i := slices.IndexFunc(answers, same)
	switch {
	case p.answer == "":
		return answers[0], nil
	case i < 0:
		return answers[0], wrong("the answer is %s, not %s", quote(strings.Join(answers, " ")), quote(p.answer))
	}
	return answers[i], nil
}

func rcodeWords(c dnsmessage.RCode) string {
	if words, ok := rcodes[c]; ok {
		return words
	}
	return fmt.Sprintf("answer code %d", c)
}

// parseReply returns the answers of one type, in words. It reads no more than it has to: what a server adds behind the
// answers is not looked at.
func parseReply(reply []byte, typ dnsmessage.Type) (dnsmessage.Header, []string, error) {
	var p dnsmessage.Parser
	h, err := p.Start(reply)
	if err != nil {
		return h, nil, err
	}
	if err := p.SkipAllQuestions(); err != nil {
		return h, nil, err
	}
	var answers []string
	for {
		a, err := p.AnswerHeader()
		switch {
		case errors.Is(err, dnsmessage.ErrSectionDone):
			return h, answers, nil
		case err != nil:
		case a.Type != typ:
			err = p.SkipAnswer()
		default:
			var r dnsmessage.Resource
			if r, err = p.Answer(); err == nil {
				answers = append(answers, words(r.Body))
			}
		}
		if err != nil {
			return h, answers, err
		}
	}
}

// words is a resource record as zone files have it, in valid UTF-8.
func words(body dnsmessage.ResourceBody) string {
	return strings.ToValidUTF8(zoneWords(body), "\uFFFD")
}

func zoneWords(body dnsmessage.ResourceBody) string {
	switch r := body.(type) {
	case *dnsmessage.AResource:
		return netip.AddrFrom4(r.A).String()
	case *dnsmessage.AAAAResource:
		return netip.AddrFrom16(r.AAAA).String()
	case *dnsmessage.CNAMEResource:
		return r.CNAME.String()
	case *dnsmessage.NSResource:
		return r.NS.String()
	case *dnsmessage.PTRResource:
		return r.PTR.String()
	case *dnsmessage.MXResource:
		return fmt.Sprintf("%d %s", r.Pref, r.MX)
	case *dnsmessage.SRVResource:
		return fmt.Sprintf("%d %d %d %s", r.Priority, r.Weight, r.Port, r.Target)
	case *dnsmessage.SOAResource:
		return fmt.Sprintf("%s %s %d", r.NS, r.MBox, r.Serial)
	case *dnsmessage.TXTResource:
		return strings.Join(r.TXT, "")
	}
	return ""
}
