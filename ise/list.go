package ise

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unicode"
)

// pageSize is the most that ISE gives in one answer; asked for nothing it gives 20.
const pageSize = 100

// page is one answer of a list.
type page[T any] struct {
	items []T
	total int  // of the whole list, at this moment; -1 where the interface does not say
	next  int  // the page after this one; 0 if there is none
	end   bool // this page is beyond the end
}

// searchResult is a page as ERS sends it. The href of nextPage carries ISE's own idea of its name and port: nothing but the
// number is taken from it.
type searchResult[T any] struct {
	SearchResult *struct {
		Total     *int `json:"total"`
		Resources []T  `json:"resources"`
		NextPage  struct {
			Href string `json:"href"`
		} `json:"nextPage"`
	}
}

// page reads one page of a list.
func (r *Resource[T]) page(ctx context.Context, filter url.Values, number, size int) (page[T], error) {
	q := url.Values{"size": {strconv.Itoa(size)}, "page": {strconv.Itoa(number)}}
	for field, values := range filter {
		q[field] = values
	}
	a, err := r.client.do(ctx, r.ask("list", "", http.MethodGet, "?"+q.Encode()))
	if isEnd(err, number) {
		return page[T]{end: true}, nil
	}
	if err != nil {
		return page[T]{}, err
	}
	p, err := readPage[T](a.body, number)
	if err == nil {
		err = r.kind.take(p.items)
	}
	if err != nil {
		return page[T]{}, r.ask("list", "", http.MethodGet, "").fail(err)
	}
	return p, nil
}

// take completes the entries of a page. Each has an id, or nobody could tell them apart.
func (k *kind[T]) take(list []T) error {
	for i := range list {
		if id := *k.id(&list[i]); id == "" || !isID(id) {
			return fmt.Errorf("%w: an object without an id, or with one that cannot be printed", ErrUnexpected)
		}
		if k.listed != nil {
			k.listed(&list[i])
		}
	}
	return nil
}

// isID says whether s can be an id. Most are UUIDs, that of an ANC policy is its name.
func isID(s string) bool {
	return len(s) <= titleLength && !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
}

// readPage reads an answer that is whole JSON.
func readPage[T any](body []byte, number int) (page[T], error) {
	var s searchResult[T]
	err := json.Unmarshal(body, &s)
	if odd, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return page[T]{}, fmt.Errorf("%w: %s is no %s", ErrUnexpected, clip(odd.Field, codeLength), odd.Type)
	}
	if err != nil {
		return page[T]{}, fmt.Errorf("%w: %s", ErrUnexpected, clip(err.Error(), codeLength))
	}
	if s.SearchResult == nil || s.SearchResult.Total == nil || *s.SearchResult.Total < 0 {
		return page[T]{}, fmt.Errorf("%w: no SearchResult with a total in it", ErrUnexpected)
	}
	p := page[T]{items: s.SearchResult.Resources, total: *s.SearchResult.Total}
	if next := pageOf(s.SearchResult.NextPage.Href); next > number && len(p.items) > 0 {
		p.next = next
	}
	return p, nil
}

// pageOf returns the page number in a link, or 0.
func pageOf(href string) int {
	u, err := url.Parse(href)
	if err != nil {
		return 0
	}
	n, err := strconv.Atoi(u.Query().Get("page"))
	if err != nil {
		return 0
	}
	return n
}

// isEnd says whether an error means that there is no such page: 400 "Page not exists exception" or 404, depending on the
// version. A first page without entries is a 404 for some resources; one that is HTML is a URL that leads elsewhere.
func isEnd(err error, number int) bool {
	e := asError(err)
	switch {
	case e == nil:
		return false
	case e.Status == http.StatusNotFound:
		return number > 1 || !e.html
	default:
		return e.Status == http.StatusBadRequest && pastTheEnd.MatchString(e.Title+" "+e.Code)
	}
}
