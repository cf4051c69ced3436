package ise

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// Paths of OpenAPI.
const (
	policySetPath = "/api/v1/policy/network-access/policy-set"
	endpointPath  = "/api/v1/endpoint"
)

// PolicySet is a policy set for network access.
type PolicySet struct {
	ID          string          `json:"id"`
	Name        string          `json:"name"`
	Description string          `json:"description,omitempty"`
	Rank        int             `json:"rank"`
	State       string          `json:"state"` // "enabled", "disabled", "monitor"
	Default     bool            `json:"default"`
	HitCounts   int             `json:"hitCounts"`
	ServiceName string          `json:"serviceName,omitempty"` // of the allowed protocols
	IsProxy     bool            `json:"isProxy"`
	Condition   json.RawMessage `json:"condition,omitempty"` // as ISE has it
}

// PolicySets returns the policy sets for network access, in the order of their ranks as ISE gives them. ISE has them from 3.1 on.
func (c *Client) PolicySets(ctx context.Context) ([]PolicySet, error) {
	q := &request{op: "list", resource: "policy-set", method: http.MethodGet, path: policySetPath, open: true}
	a, err := c.do(ctx, q)
	if err != nil {
		return nil, err
	}
	var answer struct {
		Response *[]PolicySet `json:"response"`
	}
	if err := json.Unmarshal(a.body, &answer); err != nil {
		return nil, q.fail(fmt.Errorf("%w: %s", ErrUnexpected, clip(err.Error(), codeLength)))
	}
	if answer.Response == nil {
		return nil, q.fail(fmt.Errorf("%w: no response in it", ErrUnexpected))
	}
	return *answer.Response, nil
}

// Raw reads what has no method here: a path with its query, below /ers/ or /api/, without scheme and host. The answer is a JSON
// object or list, and an Object does not print the secrets in it.
func (c *Client) Raw(ctx context.Context, path string) (Object, error) {
	u, err := url.Parse(path)
	q := &request{op: "get", name: path, method: http.MethodGet, path: path}
	if err != nil || u.IsAbs() || u.Host != "" || strings.Contains(u.Path, "..") || !strings.HasPrefix(u.Path, "/ers/") && !strings.HasPrefix(u.Path, "/api/") {
		return Object{}, q.fail(fmt.Errorf("%w: want a path below /ers/ or /api/", ErrInvalid))
	}
	q.path, q.open = u.RequestURI(), strings.HasPrefix(u.Path, "/api/")
	a, err := c.do(ctx, q)
	if err != nil {
		return Object{}, err
	}
	o := Object{raw: a.body}
	_ = o.UnmarshalJSON(a.body) // a list has no id and no name
	return o, nil
}

// FullEndpoints yields the endpoints with all that ISE knows of them: page by page from OpenAPI where the version has it (which
// knows more), otherwise by one request for each. It promises what List does; where each is read by itself, what was
// deleted meanwhile is left out.
func (c *Client) FullEndpoints(ctx context.Context, f Filter) iter.Seq2[Endpoint, error] {
	return func(yield func(Endpoint, error) bool) {
		query, err := f.query()
		if err != nil {
			yield(Endpoint{}, c.Endpoint.ask("list", "", "", "").fail(err))
			return
		}
		w := walker[Endpoint]{
			resource: c.Endpoint.kind.name, ahead: c.ahead(), id: c.Endpoint.kind.id, log: c.log,
			fetch: func(ctx context.Context, n int) (page[Endpoint], error) { return c.openPage(ctx, query, n) },
			total: func(ctx context.Context) (int, error) { return c.Endpoint.total(ctx, query) },
		}
		absent, any := false, false
		w.all(ctx)(func(e Endpoint, err error) bool {
			if absent = !any && hasNo(err); absent {
				return false
			}
			any = true
			return yield(e, err)
		})
		if absent {
			c.Endpoint.Full(ctx, f)(yield)
		}
	}
}

// hasNo says whether an error means that this ISE has no such OpenAPI path, or no OpenAPI.
func hasNo(err error) bool {
	e := asError(err)
	if e == nil {
		return false
	}
	_, closed := errors.AsType[*unreachable](e.Err)
	return closed || e.Status == http.StatusNotFound || e.Status == http.StatusMethodNotAllowed || e.Status == http.StatusNotImplemented
}

// openPage reads a page of OpenAPI's endpoints: a list without a total and without links, which is empty beyond the end.
func (c *Client) openPage(ctx context.Context, filter url.Values, number int) (page[Endpoint], error) {
	query := url.Values{"size": {strconv.Itoa(pageSize)}, "page": {strconv.Itoa(number)}}
	for field, values := range filter {
		query[field] = values
	}
	q := &request{op: "list", resource: c.Endpoint.kind.name, method: http.MethodGet, path: endpointPath + "?" + query.Encode(), open: true}
	a, err := c.do(ctx, q)
	if number > 1 && isEnd(err, number) {
		return page[Endpoint]{end: true}, nil
	}
	if err != nil {
		return page[Endpoint]{}, err
	}
	list, err := readEndpoints(a.body)
	if err != nil {
		return page[Endpoint]{}, q.fail(fmt.Errorf("%w: %s", ErrUnexpected, clip(err.Error(), codeLength)))
	}
	if err := c.Endpoint.kind.take(list); err != nil {
		return page[Endpoint]{}, q.fail(err)
	}
	return page[Endpoint]{items: list, total: -1, end: len(list) == 0}, nil
}

// readEndpoints reads a list of endpoints, alone or as the response of an answer.
func readEndpoints(body []byte) ([]Endpoint, error) {
	if bytes.HasPrefix(bytes.TrimSpace(body), []byte("[")) {
		var list []Endpoint
		err := json.Unmarshal(body, &list)
		return list, err
	}
	var answer struct{ Response *[]Endpoint }
	if err := json.Unmarshal(body, &answer); err != nil {
		return nil, err
	}
	if answer.Response == nil {
		return nil, errors.New("no list of endpoints")
	}
	return *answer.Response, nil
}
