package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"regexp"

	"github.com/musternet/muster"
	"github.com/musternet/muster/internal/settings"
	"github.com/musternet/muster/ise"
	"github.com/musternet/muster/secret"
)

// ISEOptions are the flags of everything about Cisco ISE.
type ISEOptions struct {
	Connections int  // requests at once; 0: the settings'
	Rate        int  // requests a second; 0: the settings'
	Insecure    bool // take any certificate, which each opening warns of
}

// ISE is one Cisco ISE, as the settings or the environment say. It is safe for concurrent use.
type ISE struct {
	client *ise.Client
	limit  int // requests at once
}

// OpenISE reads the settings. No inventory is read and nothing is asked yet; the password is read with the first request.
func OpenISE(o Options, i ISEOptions) (*ISE, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if i.Connections < 0 || i.Rate < 0 {
		return nil, fmt.Errorf("%w: --connections and --rate are not negative", ErrUsage)
	}
	set, err := settings.Load(o.forSettings())
	if err != nil {
		return nil, usage(err)
	}
	from := set.ISE
	if len(from.URL) == 0 {
		return nil, fmt.Errorf("%w: nothing says where ISE is: set ise: url: in muster.yaml, or MUSTER_ISE_URL; to practise: muster sim --ise", ErrUsage)
	}
	user := cmp.Or(o.User, from.Username)
	if user == "" {
		return nil, fmt.Errorf("%w: nothing says who asks ISE: set ise: username: in muster.yaml, or MUSTER_ISE_USERNAME", ErrUsage)
	}
	password, err := isePassword(set, o, user)
	if err != nil {
		return nil, err
	}
	c := ise.Config{
		URL: from.URL[0], Standby: from.URL[1:], Username: user, Password: password, CAFile: from.CAFile, Pin: from.Pin,
		Connections: cmp.Or(i.Connections, from.Connections, ise.DefaultConnections), Rate: float64(cmp.Or(i.Rate, from.Rate)), Log: o.Log,
	}
	if i.Insecure {
		c.CAFile, c.Pin, c.Insecure = "", "", true
	}
	client, err := ise.New(c)
	if err != nil {
		return nil, usage(err)
	}
	return &ISE{client, c.Connections}, nil
}

// Close frees the connections.
func (i *ISE) Close() { i.client.Close() }

// isePassword reads the password when it is needed: what the settings refer to, or with --ask-pass what somebody types.
func isePassword(set *settings.Settings, o Options, user string) (func(context.Context) (string, error), error) {
	if o.AskPass || len(set.ISE.Password) == 0 {
		if o.Prompt == nil {
			return nil, fmt.Errorf("%w: nothing says the password of %s at ISE: set ise: password: in muster.yaml to a reference, or MUSTER_ISE_PASSWORD", ErrUsage, user)
		}
		return func(ctx context.Context) (string, error) {
			s, err := o.Prompt(ctx, "password of "+user+" at ISE: ")
			return s.Reveal(), settingsError(err)
		}, nil
	}
	opener, err := set.Opener(o.Prompt)
	if err != nil {
		return nil, usage(err)
	}
	var refs []secret.Ref
	for _, ref := range set.ISE.Password {
		refs = append(refs, secret.Ref(ref))
	}
	src, err := opener.Open(refs...)
	if err != nil {
		return nil, usage(err)
	}
	return func(ctx context.Context) (string, error) {
		s, err := src.Secret(ctx)
		return s.Reveal(), settingsError(err)
	}, nil
}

// settingsError marks an error of the settings that comes to light inside of other work, without a word in its text.
func settingsError(err error) error {
	if err == nil {
		return nil
	}
	return &markedError{err, ErrUsage}
}

// markedError is an error that is of a kind too.
type markedError struct {
	error
	kind error
}

func (e *markedError) Is(target error) bool { return target == e.kind }

func (e *markedError) Unwrap() error { return e.error }

// iseCodes are the errors of ISE and what is to be said of them. The first that fits counts; those without an error are told otherwise.
var iseCodes = []struct {
	err error
	muster.Code
}{
	{ise.ErrUncertain, codeOfISE("uncertain", "The answer to a change was lost, and ISE could not be asked whether the change was made.", "look whether it is there, or do the same again: nothing is made twice")},
	{ise.ErrExists, codeOfISE("already-exists", "ISE has an endpoint of that MAC address already.", "change it with: muster ise import")},
	{ise.ErrNotFound, codeOfISE("not-found", "ISE has nothing of that name, MAC address or id.", "see what there is: muster ise groups ls")},
	{ise.ErrUnauthorized, codeOfISE("unauthorized", "ISE rejects the user name or the password, or ERS is not switched on.", "check the account, and in ISE: Administration, System, Settings, API Settings")},
	{ise.ErrForbidden, codeOfISE("forbidden", "The account may not do this.", "an ERS-Operator reads, an ERS-Admin also changes; policy sets are read over OpenAPI, which is switched on by itself")},
	{ise.ErrReadOnly, codeOfISE("read-only", "The node takes no changes: it is not the primary PAN.", "name the primary PAN first at ise: url:")},
	{ise.ErrRateLimited, codeOfISE("rate-limited", "ISE asked to slow down, and went on asking.", "lower --rate and --connections; others may be asking ISE too")},
	{ise.ErrInvalid, codeOfISE("invalid", "ISE, or muster before it asked, found the request to be wrong.", "correct what the error names")},
	{ise.ErrUnavailable, codeOfISE("unavailable", "ISE answered that it cannot, each time it was asked.", "try again later; look at the state of the node")},
	{ise.ErrUnexpected, codeOfISE("unexpected-answer", "What answers does not do so as ISE does: a redirect, HTML, half an answer.", "check the URL: without a port ERS is asked on 9060 and OpenAPI on 443")},
	{context.Canceled, codeOfISE("canceled", "It was interrupted.", "do the same again: what was done is kept, and nothing is made twice")},
	{nil, codeOfISE("drift", "The list changed each time it was read, so that it cannot be said to be complete.", "try again when less is going on in ISE")},
	{nil, codeOfISE("settings", "What the settings refer to could not be had, such as the password.", "correct the reference that the error names")},
	{nil, codeOfISE("unreachable", "ISE gave no answer: nothing listens there, the connection broke, or its certificate is not trusted.", "check URL and network; a private authority is named by ca_file, a single certificate by pin")},
	{nil, codeOfISE("syntax", "A row of the list cannot be read.", "correct the line that is named")},
	{nil, codeOfISE("duplicate", "A MAC address stands in the list twice.", "remove one of the lines")},
}

func codeOfISE(name, meaning, try string) muster.Code {
	return muster.Code{Name: name, Stages: []muster.Stage{"ise"}, Meaning: meaning, Try: try}
}

// ISECodes returns the codes of what goes wrong with ISE, or with a list for it.
func ISECodes() []muster.Code {
	all := make([]muster.Code, len(iseCodes))
	for n, c := range iseCodes {
		all[n] = c.Code
	}
	return all
}

// iseCode is the stable word for an error of ISE.
func iseCode(err error) string {
	for _, c := range iseCodes {
		if c.err != nil && errors.Is(err, c.err) {
			return c.Name
		}
	}
	if _, ok := errors.AsType[*ise.DriftError](err); ok {
		return "drift"
	}
	if errors.Is(err, ErrUsage) {
		return "settings"
	}
	return "unreachable"
}

// iseError marks an error of ISE with its kind, so that a face knows the exit code: what cannot be asked for is the usage's, what is
// not there is nothing, and an ISE that cannot be reached is as a store out of reach.
func iseError(err error) error {
	if err == nil || errors.Is(err, ErrUsage) || errors.Is(err, ErrNothing) || errors.Is(err, context.Canceled) {
		return err
	}
	e, ok := errors.AsType[*ise.Error](err)
	switch {
	case !ok:
		return err
	case errors.Is(err, ise.ErrNotFound) && e.Op != "list":
		return &markedError{err, ErrNothing}
	case e.Status == 0 && errors.Is(err, ise.ErrInvalid):
		return &markedError{err, ErrUsage}
	case iseCode(err) == "unreachable":
		return &markedError{err, ErrStore}
	}
	return err
}

// ISECode returns the stable word for what ISE did not do, such as already-exists; empty where err is not of ISE.
func ISECode(err error) string {
	if _, ok := errors.AsType[*ise.Error](err); !ok {
		return ""
	}
	return iseCode(err)
}

var errGroupAny = errors.New("--group and --any do not go together: --any would list what is outside of the group")

// isID tells the ids of ISE, which are UUIDs, from names.
var isID = regexp.MustCompile(`(?i)^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`).MatchString

// group finds an endpoint group by its name or id.
func (i *ISE) group(ctx context.Context, name string) (ise.EndpointGroup, error) {
	if isID(name) {
		g, err := i.client.EndpointGroup.Get(ctx, name)
		return g, iseError(err)
	}
	g, err := i.client.EndpointGroup.Find(ctx, name)
	return g, iseError(err)
}
