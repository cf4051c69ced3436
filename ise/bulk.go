package ise

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/musternet/muster/task"
)

// bulkSize is the most that ISE takes in one bulk request.
const bulkSize = 500

// How often ISE is asked how far a bulk request is.
const (
	firstPoll = 100 * time.Millisecond
	lastPoll  = 2 * time.Second
)

// Created is what became of one endpoint of CreateEndpoints.
type Created struct {
	MAC string
	ID  string // empty when it failed, and where ISE does not say
	Err error  // ErrExists and so on
}

// CreateEndpoints makes many endpoints, 500 in a request, which ISE works off one request after the other. Where the version
// has no bulk requests for endpoints, or the answer to one was lost, each is made by Create. The results have the order of the
// endpoints; the error is that of the whole, after which some may have been made: those without a result have an ErrUncertain.
func (c *Client) CreateEndpoints(ctx context.Context, endpoints []Endpoint) ([]Created, error) {
	results := make([]Created, 0, len(endpoints))
	single := false
	for chunk := range slices.Chunk(endpoints, bulkSize) {
		done, err := []Created(nil), error(nil)
		if !single {
			done, err = c.bulk(ctx, chunk)
		}
		lost := errors.Is(err, ErrUncertain)
		if single = single || hasNo(err); single || lost && ctx.Err() == nil {
			done, err = c.createEach(ctx, chunk, lost), nil
		}
		if err == nil {
			err = ctxError(ctx)
		}
		if results = append(results, done...); err != nil {
			return unknown(results, endpoints), err
		}
	}
	return results, nil
}

func ctxError(ctx context.Context) error {
	if ctx.Err() != nil {
		return ended(ctx)
	}
	return nil
}

// unknown adds results for the endpoints that have none.
func unknown(results []Created, endpoints []Endpoint) []Created {
	for _, e := range endpoints[len(results):] {
		results = append(results, Created{MAC: e.MAC, Err: ErrUncertain})
	}
	return results
}

// createEach makes endpoints one by one, as many at once as there are connections. lost says that they may have been made before.
func (c *Client) createEach(ctx context.Context, endpoints []Endpoint, lost bool) []Created {
	made := task.Settle(ctx, endpoints, func(ctx context.Context, e Endpoint) (string, error) {
		q, err := c.Endpoint.creation(&e)
		if err != nil {
			return "", q.fail(err)
		}
		return c.Endpoint.create(ctx, q, &e, lost)
	}, task.Limit(c.connections), task.Named("create endpoints"))
	results := make([]Created, len(made))
	for i, m := range made {
		results[i] = Created{MAC: endpoints[i].MAC, ID: m.Value, Err: m.Err}
	}
	return results
}

// bulk makes at most 500 endpoints by one request.
func (c *Client) bulk(ctx context.Context, endpoints []Endpoint) ([]Created, error) {
	q := &request{op: "create in bulk", resource: c.Endpoint.kind.name, method: http.MethodPost, path: endpointPath + "/bulk", open: true}
	results := make([]Created, len(endpoints))
	var list []Endpoint
	for i := range endpoints {
		e := endpoints[i]
		results[i].MAC = e.MAC
		if err := e.prepare(); err != nil {
			results[i].Err = q.fail(fmt.Errorf("%w: %w", ErrInvalid, err))
			continue
		}
		results[i].MAC = e.MAC
		list = append(list, e)
	}
	if len(list) == 0 {
		return results, nil
	}
	var err error
	if q.body, err = json.Marshal(openEndpoints(list)); err != nil {
		return nil, q.fail(err)
	}
	id, err := c.submit(ctx, q)
	if err != nil {
		return nil, err
	}
	status, err := c.await(ctx, id)
	if err != nil {
		return nil, err
	}
	status.tell(q, results)
	return results, nil
}

// openEndpoints turns endpoints into the form of OpenAPI, which does not nest custom attributes.
func openEndpoints(list []Endpoint) []any {
	type plain struct {
		Endpoint
		CustomAttributes map[string]string `json:"customAttributes,omitempty"`
		Link             Link              `json:"link,omitzero"`
	}
	open := make([]any, len(list))
	for i, e := range list {
		open[i] = plain{Endpoint: e, CustomAttributes: e.CustomAttributes}
	}
	return open
}

// submit sends a bulk request and returns the id of its task. One that is refused, because another one is running, is
// sent again; one whose answer was lost is ErrUncertain.
func (c *Client) submit(ctx context.Context, q *request) (string, error) {
	for try := 1; ; try++ {
		a, err := c.once(ctx, q)
		if err == nil {
			var answer struct{ ID string }
			_ = json.Unmarshal(a.body, &answer) // an answer without an id is told below
			if answer.ID == "" {
				return "", q.fail(fmt.Errorf("%w: %w: no id of a task", ErrUncertain, ErrUnexpected))
			}
			return answer.ID, nil
		}
		err.Attempts = try
		refused := !err.sent || errors.Is(err, ErrRateLimited) || err.Status == http.StatusServiceUnavailable
		if !passing(err) {
			return "", err
		}
		if !refused || try > c.retries || ctx.Err() != nil {
			return "", uncertain(err, !refused)
		}
		if wait := c.rest(ctx, err, try); wait != nil {
			err.Err = wait
			return "", err
		}
	}
}

// bulkStatus is how far a bulk request is.
type bulkStatus struct {
	ExecutionStatus string
	DetailStatus    []struct{ ID, Name, Status, Description string }
}

// running are the states of a bulk request that will have another one. Cisco lists neither these nor the last ones, so that an
// unknown word is taken as the end: what it has no result for is uncertain then.
var running = []string{"", "IN_PROGRESS", "INPROGRESS", "RUNNING", "STARTED", "NOT_STARTED", "PENDING", "QUEUED", "SUBMITTED", "PROCESSING"}

// await asks for the status of a bulk request until it is done. When the client gives up ISE goes on.
func (c *Client) await(ctx context.Context, id string) (bulkStatus, error) {
	q := &request{op: "watch", resource: "task", name: id, method: http.MethodGet, path: "/api/v1/task/" + url.PathEscape(id), open: true}
	for poll := firstPoll; ; poll = min(poll*2, lastPoll) {
		if err := sleep(ctx, poll); err != nil {
			return bulkStatus{}, q.fail(fmt.Errorf("%w: %w", ErrUncertain, err))
		}
		a, err := c.do(ctx, q)
		if err != nil {
			return bulkStatus{}, q.fail(fmt.Errorf("%w: %w", ErrUncertain, err))
		}
		var s bulkStatus
		if err := json.Unmarshal(a.body, &s); err != nil {
			return bulkStatus{}, q.fail(fmt.Errorf("%w: %w: %s", ErrUncertain, ErrUnexpected, clip(err.Error(), codeLength)))
		}
		if !slices.Contains(running, strings.ToUpper(s.ExecutionStatus)) {
			return s, nil
		}
	}
}

// tell writes what became of each endpoint into results. One that was given twice is told of twice, in the same order.
func (s *bulkStatus) tell(q *request, results []Created) {
	byMAC := make(map[string][]int, len(s.DetailStatus))
	for i, d := range s.DetailStatus {
		if mac, err := ParseMAC(d.Name); err == nil {
			byMAC[mac] = append(byMAC[mac], i)
		}
	}
	for i := range results {
		if results[i].Err != nil {
			continue
		}
		told := byMAC[results[i].MAC]
		failed := q.fail(ErrUncertain)
		failed.Name = results[i].MAC
		if len(told) == 0 {
			results[i].Err = failed
			continue
		}
		byMAC[results[i].MAC] = told[1:]
		d := s.DetailStatus[told[0]]
		if strings.EqualFold(d.Status, "SUCCESS") {
			results[i].ID = d.ID
			continue
		}
		failed.Err, failed.Title = ErrInvalid, clip(d.Description, titleLength)
		if alreadyHere.MatchString(d.Description) {
			failed.Err = ErrExists
		}
		results[i].Err = failed
	}
}
