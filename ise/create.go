package ise

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"reflect"
	"strings"
)

// Create makes an object and returns the id that ISE gave it. One of that name or MAC address that is there already is
// ErrExists. Any answer but 201 is an error that says what came.
//
// A POST is never simply repeated. After an answer that was lost, by a reset, a time-out or an error of a gateway, the object is looked up
// first: if it is there as it was sent, it was made; if it is there but differs, that is ErrExists; if it is not, it is sent again.
// ErrUncertain says that even the look-up got no answer. Calling Create again with the same object is safe.
func (r *Resource[T]) Create(ctx context.Context, v T) (string, error) {
	q, err := r.creation(&v)
	if err != nil {
		return "", q.fail(err)
	}
	return r.create(ctx, q, &v, false)
}

// creation makes the request for v.
func (r *Resource[T]) creation(v *T) (*request, error) {
	q := r.ask("create", "", http.MethodPost, "")
	*r.kind.id(v) = ""
	err := r.encode(q, v)
	_, q.name = r.kind.key(v)
	return q, err
}

// create sends the request until it is known what became of it. lost says that it may have been made before, so that it is looked
// up first.
func (r *Resource[T]) create(ctx context.Context, q *request, v *T, lost bool) (string, error) {
	if lost {
		if id, err := r.recognise(ctx, q, v); !errors.Is(err, ErrNotFound) {
			return id, err
		}
	}
	for try := 1; ; try++ {
		a, err := r.client.once(ctx, q)
		switch {
		case err == nil:
			return r.created(ctx, q, v, a)
		case lost && errors.Is(err, ErrExists): // by the request whose answer was lost, or by somebody else
			return r.recognise(ctx, q, v)
		case !passing(err):
			return "", err
		}
		err.Attempts = try
		lost = lost || err.unanswered()
		if try > r.client.retries || ctx.Err() != nil {
			return "", uncertain(err, lost)
		}
		if wait := r.client.rest(ctx, err, try); wait != nil {
			err.Err = wait
			return "", uncertain(err, lost)
		}
		if !lost {
			continue
		}
		id, found := r.recognise(ctx, q, v)
		if errors.Is(found, ErrNotFound) {
			continue
		}
		return id, found
	}
}

// uncertain adds to why there was no answer that the object may have been made all the same.
func uncertain(e *Error, lost bool) error {
	if lost {
		e.Err = fmt.Errorf("%w: %w", ErrUncertain, e.Err)
	}
	return e
}

// created takes the id from the answer to a create.
func (r *Resource[T]) created(ctx context.Context, q *request, v *T, a answer) (string, error) {
	if a.status != http.StatusCreated {
		failed := q.fail(fmt.Errorf("%w: want 201 Created", ErrUnexpected))
		said := readSaid(a.body[:min(len(a.body), errorLimit)], a.secrets)
		failed.Status, failed.Title, failed.Code = a.status, said.title, said.code
		return "", failed
	}
	if id := idIn(a.header.Get("Location")); id != "" {
		return id, nil
	}
	id, err := r.recognise(ctx, q, v)
	if err != nil {
		return "", &Error{Op: q.op, Resource: q.resource, Name: q.name, Status: a.status, Attempts: 1,
			Err: fmt.Errorf("%w: no Location says what was made, and it is not found: %w", ErrUnexpected, err)}
	}
	return id, nil
}

// idIn returns the last element of a Location, which is an id. Nothing else is taken from it.
func idIn(location string) string {
	u, err := url.Parse(location)
	if err != nil || location == "" {
		return ""
	}
	id := path.Base(u.Path)
	if len(id) > codeLength || strings.Trim(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:") != "" || strings.Trim(id, ".") == "" {
		return ""
	}
	return id
}

// recognise looks for an object that may have been made, and returns its id if it is as it was sent. It is ErrNotFound when there is none,
// ErrExists when there is another one, and ErrUncertain when that cannot be found out.
func (r *Resource[T]) recognise(ctx context.Context, q *request, v *T) (string, error) {
	if q.name == "" {
		return "", q.fail(fmt.Errorf("%w: it has no name to look it up by", ErrUncertain))
	}
	there, err := r.Find(ctx, q.name)
	if errors.Is(err, ErrNotFound) {
		return "", err
	}
	if err != nil {
		return "", q.fail(fmt.Errorf("%w: %w", ErrUncertain, err))
	}
	if !same(r.kind.wrapper, q.body, there) {
		return "", q.fail(ErrExists)
	}
	return *r.kind.id(&there), nil
}

// same says whether an object has the values that were sent. Secrets, and what ISE does not give back, are not compared.
func same(wrapper string, body []byte, there any) bool {
	_, raw, err := unwrap(body, wrapper)
	if err != nil {
		return false
	}
	have, err := json.Marshal(there)
	if err != nil {
		return false
	}
	var sent, got any
	if json.Unmarshal(raw, &sent) != nil || json.Unmarshal(have, &got) != nil {
		return false
	}
	return holds(got, sent)
}

// holds says whether what was sent is in what is there.
func holds(there, sent any) bool {
	switch s := sent.(type) {
	case map[string]any:
		t, ok := there.(map[string]any)
		for key, value := range s {
			if has, known := t[key]; known && !holds(has, value) {
				return false
			}
		}
		return ok
	case string:
		t, ok := there.(string)
		return ok && (t == masked || strings.EqualFold(t, s))
	default:
		return reflect.DeepEqual(there, sent)
	}
}
