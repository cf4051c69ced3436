package ise

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strings"
)

const ersPath = "/ers/config/"

// Resource is one kind of objects that ERS keeps, by the path that it has there. Its methods may be called by many goroutines.
type Resource[T any] struct {
	client *Client
	kind   kind[T]
}

// kind is what differs between resources.
type kind[T any] struct {
	name    string // in the path
	wrapper string // the key around an object; empty: the only one that comes
	id      func(*T) *string
	key     func(*T) (field, value string) // what no two objects have in common
	byName  bool                           // it has no filters, but a path for names
	listed  func(*T)                       // fills in what an entry of a list says indirectly; may be nil
	prepare func(*T) error                 // checks and completes what is to be made or changed; may be nil
}

// ask makes a request for an object, or for the whole resource where id is empty.
func (r *Resource[T]) ask(op, id, method, query string) *request {
	path := ersPath + r.kind.name
	if id != "" {
		path += "/" + url.PathEscape(id)
	}
	return &request{op: op, resource: r.kind.name, name: id, method: method, path: path + query}
}

// List yields what ISE's list of the resource holds and the filter lets through, each object once, in ISE's order. An entry of a list
// has no more than its id, name and description; Full reads the rest.
//
// Pages of 100 are read at once, as many as there are connections, and twice as many are kept ahead of the loop at most. When
// the list turns out to have changed while it was read, it is read again, up to three times in all, and what was not met before is
// yielded then; objects that were deleted meanwhile may have been yielded. A list that never held still ends with a *DriftError, unless
// all that happened is that it grew. An error ends the loop; without one the list was complete.
func (r *Resource[T]) List(ctx context.Context, f Filter) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		q, err := f.query()
		if err != nil {
			var zero T
			yield(zero, r.ask("list", "", "", "").fail(err))
			return
		}
		w := walker[T]{
			resource: r.kind.name, ahead: r.client.ahead(), id: r.kind.id, log: r.client.log,
			fetch: func(ctx context.Context, n int) (page[T], error) { return r.page(ctx, q, n, pageSize) },
			total: func(ctx context.Context) (int, error) { return r.total(ctx, q) },
		}
		w.all(ctx)(yield)
	}
}

// Total returns how many objects the filter lets through.
func (r *Resource[T]) Total(ctx context.Context, f Filter) (int, error) {
	q, err := f.query()
	if err != nil {
		return 0, r.ask("count", "", "", "").fail(err)
	}
	return r.total(ctx, q)
}

func (r *Resource[T]) total(ctx context.Context, filter url.Values) (int, error) {
	p, err := r.page(ctx, filter, 1, 1)
	return p.total, err
}

// Full is List with every object read, which takes a request each. What was deleted between the two is left out.
func (r *Resource[T]) Full(ctx context.Context, f Filter) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var zero T
		var listing error
		entries := func(next func(T) bool) {
			for v, err := range r.List(ctx, f) {
				if err != nil {
					listing = err
					return
				}
				if !next(v) {
					return
				}
			}
		}
		read := func(ctx context.Context, entry T) (*T, error) {
			v, err := r.Get(ctx, *r.kind.id(&entry))
			if errors.Is(err, ErrNotFound) {
				return nil, nil
			}
			return &v, err
		}
		broken := false
		err := inOrder(ctx, "read "+r.kind.name, r.client.ahead(), entries, read, func(v *T) bool {
			broken = v != nil && !yield(*v, nil)
			return !broken
		})
		if err == nil {
			err = listing
		}
		if err != nil && !broken {
			yield(zero, err)
		}
	}
}

// Get reads an object. An id that is not there is ErrNotFound.
func (r *Resource[T]) Get(ctx context.Context, id string) (T, error) {
	var zero T
	if id == "" {
		return zero, r.ask("get", "", "", "").fail(errNoID)
	}
	return r.get(ctx, r.ask("get", id, http.MethodGet, ""))
}

var errNoID = fmt.Errorf("%w: no id was given", ErrInvalid)

func (r *Resource[T]) get(ctx context.Context, q *request) (T, error) {
	var v T
	a, err := r.client.do(ctx, q)
	if err != nil {
		return v, err
	}
	wrapper, raw, err := unwrap(a.body, r.kind.wrapper)
	if err == nil {
		err = r.decode(raw, &v)
	}
	if err == nil && !isID(*r.kind.id(&v)) {
		err = errors.New("its id cannot be printed")
	}
	if err != nil {
		return v, q.fail(fmt.Errorf("%w: %s", ErrUnexpected, clip(err.Error(), codeLength)))
	}
	if o, ok := any(&v).(*Object); ok {
		o.Wrapper = wrapper
	}
	return v, nil
}

// decode reads an object. A field that another version of ISE gives another type stays empty, and the log tells of it.
func (r *Resource[T]) decode(raw []byte, v *T) error {
	err := json.Unmarshal(raw, v)
	if odd, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && odd.Field != "" { // the other fields have been read
		r.client.log.Warn("a field is of another type than is known", "resource", r.kind.name, "field", clip(odd.Field, codeLength))
		return nil
	}
	return err
}

// Find reads the object of that name: for an endpoint and its ANC state that is the MAC address. What is not there is
// ErrNotFound.
func (r *Resource[T]) Find(ctx context.Context, name string) (T, error) {
	var v T
	if name == "" {
		return v, r.ask("find", "", "", "").fail(errNoID)
	}
	if r.kind.byName {
		q := r.ask("find", "", http.MethodGet, "/name/"+url.PathEscape(name))
		q.name = name
		return r.get(ctx, q)
	}
	field, _ := r.kind.key(&v)
	for entry, err := range r.List(ctx, Filter{Match: []string{field + ".EQ." + name}}) {
		if err != nil {
			return v, err
		}
		if !r.names(&entry, name) {
			continue
		}
		if v, err = r.Get(ctx, *r.kind.id(&entry)); err != nil || r.names(&v, name) {
			return v, err
		}
	}
	var zero T
	missing := r.ask("find", "", "", "").fail(ErrNotFound)
	missing.Name = clip(name, codeLength)
	return zero, missing
}

// names says whether an object is the one that was looked for. An entry of a list that does not say may be it.
func (r *Resource[T]) names(v *T, name string) bool {
	_, is := r.kind.key(v)
	if mac, err := ParseMAC(name); err == nil && strings.EqualFold(is, mac) {
		return true
	}
	return is == "" || strings.EqualFold(is, name)
}

// Update changes the fields that v has set. A PUT can be repeated, so that it is, after an answer that was lost.
func (r *Resource[T]) Update(ctx context.Context, id string, v T) error {
	q := r.ask("update", id, http.MethodPut, "")
	if id == "" {
		return q.fail(errNoID)
	}
	*r.kind.id(&v) = id
	if err := r.encode(q, &v); err != nil {
		return q.fail(err)
	}
	_, err := r.client.do(ctx, q)
	return err
}

// Delete deletes an object. One that is not there is ErrNotFound, unless the answer to an earlier attempt was lost.
func (r *Resource[T]) Delete(ctx context.Context, id string) error {
	q := r.ask("delete", id, http.MethodDelete, "")
	if id == "" {
		return q.fail(errNoID)
	}
	_, err := r.client.do(ctx, q)
	if doneBefore(err, ErrNotFound) {
		return nil
	}
	return err
}

// encode makes the body of a request, with its secrets in clear.
func (r *Resource[T]) encode(q *request, v *T) error {
	if r.kind.prepare != nil {
		if err := r.kind.prepare(v); err != nil {
			return fmt.Errorf("%w: %w", ErrInvalid, err)
		}
	}
	open, secrets, err := opened(*v)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	q.secrets = secrets
	wrapper := r.kind.wrapper
	if o, ok := any(v).(*Object); ok && o.Wrapper != "" {
		wrapper = o.Wrapper
	}
	if wrapper == "" {
		return fmt.Errorf("%w: the key around the object is not known", ErrInvalid)
	}
	q.body, err = json.Marshal(map[string]any{wrapper: open})
	return err
}

// unwrap returns the object inside its key, which is that of the resource, or the only one.
func unwrap(body []byte, wrapper string) (string, json.RawMessage, error) {
	var outer map[string]json.RawMessage
	if json.Unmarshal(body, &outer) != nil {
		return "", nil, errNoObject
	}
	if raw, ok := outer[wrapper]; ok {
		return wrapper, raw, nil
	}
	if len(outer) == 1 {
		for key, raw := range outer {
			return key, raw, nil
		}
	}
	return "", nil, errors.New("the object is not where it is due")
}

// ahead is how many answers are kept before the loop wants them: twice as many as there are connections, so that one slow
// page does not hold up the others.
func (c *Client) ahead() int { return 2 * c.connections }
