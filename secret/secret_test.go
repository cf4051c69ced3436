package secret_test

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/musternet/muster/secret"
)

const hidden = "hunter2-Tr0ub4dor"

func TestSecretNeverPrints(t *testing.T) {
	t.Parallel()
	type exported struct{ S secret.Secret }
	type unexported struct{ s secret.Secret }
	type pointer struct{ s *secret.Secret }
	s := secret.New(hidden)
	values := []any{
		s, &s, exported{s}, unexported{s}, pointer{&s}, []secret.Secret{s}, map[string]secret.Secret{"k": s},
		[]any{s}, struct{ Source secret.Source }{secret.Literal(s)}, struct{ c secret.Credential }{secret.Credential{Password: secret.Literal(s)}},
		fmt.Errorf("login: %w", errors.New(fmt.Sprint(s))),
	}
	hexed := fmt.Sprintf("%x", hidden)
	for _, v := range values {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "% x", "%d", "%p", "%10.3s", "%-5v", "%!", "%c", "%U", "%t", "%w"} {
			got := fmt.Sprintf(verb, v)
			if strings.Contains(got, hidden) || strings.Contains(strings.ToLower(got), hexed) || strings.Contains(got, "hun") {
				t.Errorf("Sprintf(%q, %T) = %q, want no secret in it", verb, v, got)
			}
		}
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%5s"} {
		if got := fmt.Sprintf(verb, s); got != "***" {
			t.Errorf("Sprintf(%q) = %q, want ***", verb, got)
		}
	}
}

func TestSecretIsMaskedInEveryEncoding(t *testing.T) {
	t.Parallel()
	s := secret.New(hidden)
	js, err := json.Marshal(map[string]any{"a": s, "b": []secret.Secret{s}, "c": &s})
	if want := `{"a":"***","b":["***"],"c":"***"}`; err != nil || string(js) != want {
		t.Errorf("json: got %s, %v, want %s", js, err, want)
	}
	type login struct{ S secret.Secret }
	x, err := xml.Marshal(login{s})
	if err != nil || bytes.Contains(x, []byte(hidden)) {
		t.Errorf("xml: got %s, %v", x, err)
	}
	if y, err := s.MarshalYAML(); err != nil || y != "***" {
		t.Errorf("yaml: got %v, %v, want ***", y, err)
	}
	if err := gob.NewEncoder(&bytes.Buffer{}).Encode(struct{ S secret.Secret }{s}); err == nil {
		t.Error("gob: got no error, want a refusal")
	}
	var log bytes.Buffer
	for _, h := range []slog.Handler{slog.NewTextHandler(&log, nil), slog.NewJSONHandler(&log, nil)} {
		slog.New(h).Info("login", "password", s, "pointer", &s, "group", slog.GroupValue(slog.Any("in", s)), "struct", struct{ s secret.Secret }{s})
	}
	if got := log.String(); strings.Contains(got, hidden) || !strings.Contains(got, "***") {
		t.Errorf("slog: got %s", got)
	}
	var back secret.Secret
	if err := json.Unmarshal([]byte(`"`+hidden+`"`), &back); err == nil || strings.Contains(err.Error(), hidden) {
		t.Errorf("a secret read from JSON: got %v, want an error without it", err)
	}
}

func TestSecretEqual(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b string
		want bool
	}{{"a", "a", true}, {"a", "b", false}, {"a", "aa", false}, {"", "", true}, {"", "a", false}} {
		if got := secret.New(c.a).Equal(secret.New(c.b)); got != c.want {
			t.Errorf("%q and %q: got %v, want %v", c.a, c.b, got, c.want)
		}
	}
	var zero secret.Secret
	if !zero.Equal(secret.New("")) || !zero.IsZero() || zero.Reveal() != "" || secret.New("x").IsZero() {
		t.Error("the zero Secret is not the empty one")
	}
	if secret.New(hidden).Reveal() != hidden {
		t.Error("Reveal does not give the text back")
	}
}
