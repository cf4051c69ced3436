package secret_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/musternet/muster/secret"
)

// environ returns a Getenv that knows nothing of the machine.
func environ(vars ...string) func(string) string {
	return func(name string) string {
		for _, v := range vars {
			if rest, ok := strings.CutPrefix(v, name+"="); ok {
				return rest
			}
		}
		return ""
	}
}

// read opens a reference and reads it.
func read(t *testing.T, o *secret.Opener, refs ...string) (string, error) {
	t.Helper()
	var all []secret.Ref
	for _, ref := range refs {
		all = append(all, secret.Ref(ref))
	}
	src, err := o.Open(all...)
	if err != nil {
		t.Fatalf("open %s: %v", refs, err)
	}
	s, err := src.Secret(t.Context())
	return s.Reveal(), err
}

func TestVaultReference(t *testing.T) {
	t.Parallel()
	srv := newVaultServer(t)
	o := &secret.Opener{Vault: srv.settings(), Getenv: environ()}
	for ref, want := range map[string]string{
		"vault:secret/data/routers#password":           hidden,
		"vault:secret/routers#password":                hidden,
		"vault:secret/data/routers?version=1#password": "old-" + hidden,
		"vault:secret/routers#enable":                  "en-" + hidden,
		"vault:secret/routers#port":                    "22",
		"vault:secret/routers#ssh.passphrase":          "nested-" + hidden,
		"vault:kv/net/data/a b#password":               "spaced-" + hidden,
	} {
		if got, err := read(t, o, ref); err != nil || got != want {
			t.Errorf("%s: got %q, %v, want %q", ref, got, err, want)
		}
	}
	if n := srv.requests("secret/data/routers"); n != 2 {
		t.Errorf("the secret was read %d times, want once each version", n)
	}
	if n := srv.requests("lookup-self"); n != 1 {
		t.Errorf("the token was looked up %d times, want once", n)
	}
	for i, h := range srv.headers {
		if h.Get("X-Vault-Token") != rootToken || h.Get("X-Vault-Request") != "true" || h.Get("X-Vault-Namespace") != "" {
			t.Errorf("%s: got the headers %v", srv.asked[i], h)
		}
	}
}

func TestVaultByTheEnvironmentOfItsCommand(t *testing.T) {
	srv := newVaultServer(t)
	vars := []string{"VAULT_ADDR=" + srv.URL, "VAULT_CACERT=" + srv.ca, "VAULT_NAMESPACE=/team/net/"}
	o := &secret.Opener{Getenv: environ(append(vars, "VAULT_TOKEN="+rootToken)...)}
	if got, err := read(t, o, "vault:secret/routers#password"); err != nil || got != hidden {
		t.Errorf("by VAULT_TOKEN: got %q, %v", got, err)
	}
	if got := srv.headers[0].Get("X-Vault-Namespace"); got != "team/net" {
		t.Errorf("got the namespace %q", got)
	}
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("USERPROFILE", home)
	_, err := read(t, &secret.Opener{Getenv: environ(vars...)}, "vault:secret/routers#password")
	want := "vault:secret/routers#password: the token for Vault: no way to log in to Vault: give role_id and secret_id, or a token, in secrets: vault, or VAULT_TOKEN; and file:~/.vault-token: no such file or directory"
	if err == nil || err.Error() != want {
		t.Errorf("without a token: got %v, want %s", err, want)
	}
	if err := os.WriteFile(filepath.Join(home, ".vault-token"), []byte(rootToken), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := read(t, &secret.Opener{Getenv: environ(vars...)}, "vault:secret/routers#password"); err != nil || got != hidden {
		t.Errorf("by ~/.vault-token: got %q, %v", got, err)
	}
}

func TestVaultAppRole(t *testing.T) {
	t.Parallel()
	srv := newVaultServer(t)
	for _, mount := range []string{"", "team/roles/"} {
		conf := srv.appRole()
		conf.Mount = mount
		if got, err := read(t, &secret.Opener{Vault: conf, Getenv: environ()}, "vault:secret/routers#password"); err != nil || got != hidden {
			t.Errorf("mounted at %q: got %q, %v", mount, got, err)
		}
	}
	if srv.logins != 2 || srv.requests("lookup-self") != 0 {
		t.Errorf("got the requests %q", srv.asked)
	}
}

// A thousand devices that begin at once ask Vault as often as one does.
func TestVaultIsAskedOnceByAllWhoBeginTogether(t *testing.T) {
	t.Parallel()
	srv := newVaultServer(t)
	o := &secret.Opener{Vault: srv.appRole(), Getenv: environ()}
	var wg sync.WaitGroup
	for i := range 1000 {
		ref := secret.Ref([]string{"vault:secret/routers#password", "vault:secret/data/routers#enable", "vault:secret/routers?version=1#password"}[i%3])
		wg.Go(func() {
			src, err := o.Open(ref)
			if err != nil {
				t.Errorf("got %v", err)
				return
			}
			if s, err := src.Secret(t.Context()); err != nil || !strings.Contains(s.Reveal(), hidden) {
				t.Errorf("got %q, %v", s.Reveal(), err)
			}
		})
	}
	wg.Wait()
	if srv.logins != 1 || len(srv.asked) != 3 {
		t.Errorf("got the requests %q, want one login and each version once", srv.asked)
	}
}

// A token is renewed when two thirds of its life are over and somebody needs it, and replaced when it cannot be renewed any
// more.
func TestVaultTokenIsRenewedThenReplaced(t *testing.T) {
	t.Parallel()
	srv := newVaultServer(t)
	synctest.Test(t, func(t *testing.T) {
		o := &secret.Opener{Vault: srv.appRole(), Life: time.Minute, Getenv: environ()}
		need := func(after time.Duration, logins, renewals int) {
			t.Helper()
			time.Sleep(after)
			if got, err := read(t, o, "vault:secret/routers#password"); err != nil || got != hidden {
				t.Fatalf("after %v: got %q, %v", after, got, err)
			}
			if l, r := srv.requests("/login"), srv.requests("renew-self"); l != logins || r != renewals {
				t.Errorf("after %v: %d logins and %d renewals, want %d and %d", after, l, r, logins, renewals)
			}
		}
		need(0, 1, 0)
		need(30*time.Minute, 1, 0)
		need(11*time.Minute, 1, 1)                                                                               // 41 of 60
		need(59*time.Minute, 1, 2)                                                                               // of the renewed hour
		srv.with(func() { srv.tokens["hvs.CAESlogin-1"].mostTTL = 60 })                                          // the end of its life is near
		need(45*time.Minute, 2, 3)                                                                               // not worth it: a new one
		need(2*time.Hour, 3, 3)                                                                                  // that has expired
		srv.with(func() { delete(srv.tokens, "hvs.CAESlogin-3") })                                               // revoked by somebody
		need(5*time.Minute, 4, 3)                                                                                // found out by the refusal
		srv.with(func() { srv.fault = func(w http.ResponseWriter, _ int) bool { panic(http.ErrAbortHandler) } }) // away
		time.Sleep(41 * time.Minute)
		if _, err := read(t, o, "vault:secret/routers#password"); err == nil {
			t.Error("read what Vault did not answer")
		}
		srv.with(func() { srv.fault = nil })
		need(time.Minute, 4, 5) // the token that could not be renewed is still good, and is renewed now
	})
}

func TestVaultTokenOfOnesOwn(t *testing.T) {
	t.Parallel()
	srv := newVaultServer(t)
	synctest.Test(t, func(t *testing.T) {
		path := write(t, "hvs.first\n", 0o600)
		srv.with(func() { srv.tokens["hvs.first"] = &vaultToken{ttl: 1200, renewable: true} })
		conf := srv.settings()
		conf.Token = open(t, "file:"+path)
		o := &secret.Opener{Vault: conf, Life: time.Minute, Getenv: environ()}
		need := func(after time.Duration, lookups, renewals int) {
			t.Helper()
			time.Sleep(after)
			if got, err := read(t, o, "vault:secret/routers#password"); err != nil || got != hidden {
				t.Fatalf("after %v: got %q, %v", after, got, err)
			}
			if l, r := srv.requests("lookup-self"), srv.requests("renew-self"); l != lookups || r != renewals {
				t.Errorf("after %v: looked up %d times, renewed %d times, want %d and %d", after, l, r, lookups, renewals)
			}
		}
		need(0, 1, 0)
		need(15*time.Minute, 1, 1)
		need(15*time.Minute, 1, 2)
		// An agent has put another one into the file, and the first is gone.
		if err := os.WriteFile(path, []byte("hvs.second\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		srv.with(func() { delete(srv.tokens, "hvs.first"); srv.tokens["hvs.second"] = &vaultToken{mute: true} })
		need(5*time.Minute, 2, 2)
		srv.with(func() { delete(srv.tokens, "hvs.second") })
		time.Sleep(5 * time.Minute)
		_, err := read(t, o, "vault:secret/routers#password")
		want := "vault:secret/routers#password: Vault does not know the token: it has expired or was revoked; log in again, or use AppRole"
		if err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
		// Somebody logs in again: that is found without a restart.
		srv.with(func() { srv.tokens["hvs.second"] = &vaultToken{} })
		time.Sleep(time.Minute)
		if got, err := read(t, o, "vault:secret/routers#password"); err != nil || got != hidden {
			t.Errorf("after a login: got %q, %v", got, err)
		}
	})
}

// A secret is read again after its life, or when its version is deleted if that is before.
func TestVaultSecretsAreReadAgainInTime(t *testing.T) {
	t.Parallel()
	srv := newVaultServer(t)
	synctest.Test(t, func(t *testing.T) {
		o := &secret.Opener{Vault: srv.settings(), Getenv: environ()}
		need := func(after time.Duration, want string, times int) {
			t.Helper()
			time.Sleep(after)
			got, err := read(t, o, "vault:secret/routers#password")
			if err != nil || got != want || srv.requests("data/routers") != times {
				t.Errorf("after %v: got %q, %v and %d readings, want %q and %d", after, got, err, srv.requests("data/routers"), want, times)
			}
		}
		need(0, hidden, 1)
		srv.with(func() {
			srv.kv["secret/data/routers"] = append(srv.kv["secret/data/routers"], map[string]any{"password": "new-" + hidden})
			srv.deletion = time.Now().Add(90 * time.Minute).UTC().Format(time.RFC3339Nano)
		})
		need(59*time.Minute, hidden, 1)
		need(2*time.Minute, "new-"+hidden, 2)
		need(28*time.Minute, "new-"+hidden, 2)
		need(2*time.Minute, "new-"+hidden, 3)
	})
}

func TestVaultTriesAgainWhereThatHelps(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status, times, want int
	}{
		"a standby that is behind":  {412, 2, 3},
		"a limit that is reached":   {429, 2, 3},
		"a leader that is chosen":   {500, 2, 3},
		"a proxy without a backend": {502, 2, 3},
		"not now":                   {503, 1, 2},
		"never":                     {502, 9, 3},
		"not found":                 {404, 9, 1},
		"not known":                 {501, 9, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := newVaultServer(t)
			synctest.Test(t, func(t *testing.T) {
				srv.fault = func(w http.ResponseWriter, n int) bool {
					if n == 1 || n > 1+c.times { // the first looks the token up
						return false
					}
					http.Error(w, "<html>no JSON</html>", c.status)
					return true
				}
				_, err := read(t, &secret.Opener{Vault: srv.settings(), Getenv: environ()}, "vault:secret/routers#password")
				if (err == nil) != (c.times < 9) || srv.requests("data/routers") != c.want {
					t.Errorf("got %v after %d requests, want %d", err, srv.requests("data/routers"), c.want)
				}
			})
		})
	}
}

// A login whose answer was lost may have used up the secret ID, and is not sent twice.
func TestVaultLoginIsNotRepeated(t *testing.T) {
	t.Parallel()
	srv := newVaultServer(t)
	srv.fault = func(http.ResponseWriter, int) bool { panic(http.ErrAbortHandler) }
	_, err := read(t, &secret.Opener{Vault: srv.appRole(), Getenv: environ()}, "vault:secret/routers#password")
	if err == nil || srv.requests("login") != 1 {
		t.Errorf("got %v after %d logins, want an error after one", err, srv.requests("login"))
	}
}

// Each wrong thing is one sentence that says where, what and what to do. The server repeats in its refusals what it was sent.
func TestVaultFailures(t *testing.T) {
	t.Parallel()
	html := func(status int) func(*vaultServer) {
		return func(v *vaultServer) {
			v.fault = func(w http.ResponseWriter, _ int) bool { http.Error(w, "<html>"+hidden+"</html>", status); return true }
		}
	}
	say := func(status int, text string) func(*vaultServer) {
		return func(v *vaultServer) {
			v.fault = func(w http.ResponseWriter, _ int) bool { refuse(w, status, text); return true }
		}
	}
	for name, c := range map[string]struct {
		ref  string
		role bool
		bad  func(*vaultServer)
		want string
	}{
		"no such secret":     {"vault:secret/none#password", false, nil, "Vault has no secret at secret/data/none, or no such version of it"},
		"no such version":    {"vault:secret/routers?version=7#password", false, nil, "Vault has no secret at secret/data/routers, or no such version of it"},
		"no such field":      {"vault:secret/routers#passwrod", false, nil, `it has no key "passwrod"`},
		"an empty field":     {"vault:secret/routers#empty", false, nil, "it is empty"},
		"a list":             {"vault:secret/routers#list", false, nil, `it has no key "list"`},
		"no such mount":      {"vault:sercet/routers#password", false, nil, `Vault has nothing at sercet/data/routers: look at the name of the mount (Vault answered 404: no handler for route "sercet/data/routers". route entry not found.)`},
		"version 1 of KV":    {"vault:v1mount/routers#password", false, nil, "what Vault has at v1mount/data/routers is not of KV version 2"},
		"deleted":            {"vault:secret/gone#password", false, nil, "version 2 of secret/data/gone was deleted: vault kv undelete brings it back, ?version=N reads another"},
		"destroyed":          {"vault:secret/burnt#password", false, func(v *vaultServer) { v.kv["secret/data/burnt"] = []map[string]any{nil} }, "version 1 of secret/data/burnt was destroyed"},
		"no policy":          {"vault:secret/forbidden#password", false, nil, `the token may not read secret/data/forbidden: one of its policies needs path "secret/data/forbidden" { capabilities = ["read"] } (Vault answered 403: 1 error occurred: * permission denied)`},
		"no policy, by role": {"vault:secret/forbidden#password", true, nil, `the token may not read secret/data/forbidden: one of its policies needs path "secret/data/forbidden" { capabilities = ["read"] } (Vault answered 403: 1 error occurred: * permission denied)`},
		"an unknown token":   {"vault:secret/routers#password", false, func(v *vaultServer) { clear(v.tokens) }, "Vault does not know the token: it has expired or was revoked; log in again, or use AppRole"},
		"an old Vault":       {"vault:secret/routers#password", false, func(v *vaultServer) { v.tokens[rootToken].old = true }, `the token may not read secret/data/routers, or has expired: one of its policies needs path "secret/data/routers" { capabilities = ["read"] } (Vault answered 403: 1 error occurred: * permission denied)`},
		"sealed":             {"vault:secret/routers#password", true, say(503, "Vault is sealed"), "Vault is sealed: it has to be unsealed first"},
		"behind":             {"vault:secret/routers#password", false, say(412, "required index state not present"), "Vault's standby is behind its leader (412): try again"},
		"a rate limit":       {"vault:secret/routers#password", false, say(429, "request path quota"), "Vault's rate limit is reached (429): try again later"},
		"an inner error":     {"vault:secret/routers#password", false, say(500, "1 error occurred:\n\t* storage is\x1b[31m away\n"), "Vault answered 500: 1 error occurred: * storage is?[31m away"},
		"an echo":            {"vault:secret/routers#password", false, say(500, "who is "+rootToken+"?"), "Vault answered 500: who is ***?"},
		"a long echo":        {"vault:secret/routers#password", false, say(500, strings.Repeat("x", 295)+rootToken), "Vault answered 500: " + strings.Repeat("x", 295) + "***"},
		"an echo at login":   {"vault:secret/routers#password", true, say(400, "no role "+roleID+" with "+secretID), "Vault refused the login by AppRole at auth/approle: look at role_id and secret_id, which may have expired (Vault answered 400: no role *** with ***)"},
		"a long answer":      {"vault:secret/routers#password", false, say(500, strings.Repeat("ä", 200)), "Vault answered 500: " + strings.Repeat("ä", 150) + "..."},
		"a page":             {"vault:secret/routers#password", false, html(200), "what answers at the address is no Vault"},
		"a page at login":    {"vault:secret/routers#password", true, html(200), "what answers at the address is no Vault"},
		"a proxy's page":     {"vault:secret/routers#password", false, html(502), "Vault answered 502 bad gateway"},
		"no token at login": {"vault:secret/routers#password", true, func(v *vaultServer) {
			v.fault = func(w http.ResponseWriter, _ int) bool { reply(w, map[string]any{"auth": nil}); return true }
		}, "what answers at the address is no Vault"},
		"an answer without an end": {"vault:secret/routers#password", false, func(v *vaultServer) {
			v.fault = func(w http.ResponseWriter, _ int) bool {
				for range 1100 {
					_, _ = w.Write([]byte(strings.Repeat(" ", 1024)))
				}
				return true
			}
		}, "what answers at the address is no Vault"},
		"another host": {"vault:secret/routers#password", false, func(v *vaultServer) {
			v.fault = func(w http.ResponseWriter, _ int) bool {
				w.Header().Set("Location", "https://evil.example.net:8200/v1/x")
				w.WriteHeader(307)
				return true
			}
		}, "Vault at HOST refers to https://evil.example.net:8200, and a token goes to no other host: name that one as the address"},
		"no HTTP": {"vault:secret/routers#password", false, func(v *vaultServer) {
			v.fault = func(w http.ResponseWriter, _ int) bool {
				conn, _, _ := w.(http.Hijacker).Hijack()
				_, _ = conn.Write([]byte(hidden + "\r\n\r\n"))
				_ = conn.Close()
				return true
			}
		}, "the connection to Vault at HOST broke, or no web server answers there"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := newVaultServer(t)
			if c.bad != nil {
				c.bad(srv)
			}
			conf := srv.settings()
			if c.role {
				conf = srv.appRole()
			}
			synctest.Test(t, func(t *testing.T) {
				_, err := read(t, &secret.Opener{Vault: conf, Getenv: environ()}, c.ref)
				want := c.ref + ": " + strings.ReplaceAll(c.want, "HOST", strings.TrimPrefix(srv.URL, "https://"))
				if err == nil || err.Error() != want {
					t.Fatalf("\n got %v\nwant %s", err, want)
				}
				quiet(t, err.Error())
			})
		})
	}
}

// quiet fails where a text holds what nobody may print.
func quiet(t *testing.T, text string) {
	t.Helper()
	for _, s := range []string{hidden, rootToken, roleID, secretID, "hvs.", ansiblePassword, ansibleDev, agePassphrase, "AGE-SECRET-KEY-1"} {
		if strings.Contains(text, s) {
			t.Errorf("a secret came out: %s", text)
		}
	}
	if strings.ContainsAny(text, "\x1b\r") {
		t.Errorf("control characters came out: %q", text)
	}
}

func TestVaultThatIsNotReached(t *testing.T) {
	t.Parallel()
	srv := newVaultServer(t)
	plain := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(plain.Close)
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = closed.Close()
	noPEM := write(t, hidden, 0o600)
	for name, c := range map[string]struct {
		change func(*secret.Vault)
		want   string
	}{
		"no address":            {func(v *secret.Vault) { v.Address = "" }, "no address of a Vault is known: give it in secrets: vault: address, or in VAULT_ADDR"},
		"no URL":                {func(v *secret.Vault) { v.Address = "vault:8200" }, "the address of Vault must be a URL such as https://vault.example.net:8200"},
		"clear text":            {func(v *secret.Vault) { v.Address = "http://vault.example.net:8200" }, "the address of Vault must begin with https://: by http the token could be read on the way"},
		"not listening":         {func(v *secret.Vault) { v.Address = "https://" + closed.Addr().String() }, "Vault at " + closed.Addr().String() + " is not reached: dial tcp " + closed.Addr().String() + ": connect: connection refused"},
		"no TLS":                {func(v *secret.Vault) { v.Address = strings.Replace(plain.URL, "http:", "https:", 1) }, "what answers at " + strings.TrimPrefix(plain.URL, "http://") + " speaks no TLS"},
		"an unknown authority":  {func(v *secret.Vault) { v.CAFile = "" }, "the certificate of Vault at " + strings.TrimPrefix(srv.URL, "https://") + " is not trusted (x509: certificate signed by unknown authority): name its authority in secrets: vault: ca_file"},
		"no ca_file":            {func(v *secret.Vault) { v.CAFile = "/no/such/file" }, "ca_file /no/such/file of Vault: no such file or directory"},
		"no PEM in the ca_file": {func(v *secret.Vault) { v.CAFile = noPEM }, "ca_file " + noPEM + " of Vault: it holds no certificate in PEM"},
		"no token":              {func(v *secret.Vault) { v.Token = open(t, "env:SECRET_TEST_NOT_SET") }, "the token for Vault: env:SECRET_TEST_NOT_SET: the environment variable is not set"},
		"two lines as a token":  {func(v *secret.Vault) { v.Token = literal(rootToken + "\n" + hidden) }, "the token for Vault is none: it holds blanks or other letters than a token has"},
		"no secret ID": {func(v *secret.Vault) {
			*v = srv.appRole()
			v.SecretID = open(t, "file:/no/such/file")
		}, "secret_id for Vault: file:/no/such/file: no such file or directory"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conf := srv.settings()
			c.change(&conf)
			synctest.Test(t, func(t *testing.T) {
				_, err := read(t, &secret.Opener{Vault: conf, Getenv: environ()}, "vault:secret/routers#password")
				if want := "vault:secret/routers#password: " + c.want; err == nil || err.Error() != want {
					t.Errorf("\n got %v\nwant %s", err, want)
				}
			})
		})
	}
}

func TestVaultReadingEndsWithItsContext(t *testing.T) {
	t.Parallel()
	srv := newVaultServer(t)
	reached, free := make(chan struct{}), make(chan struct{})
	srv.Config.Handler = http.HandlerFunc(func(http.ResponseWriter, *http.Request) { close(reached); <-free })
	defer close(free)
	src, err := (&secret.Opener{Vault: srv.settings(), Getenv: environ()}).Open("vault:secret/routers#password")
	if err != nil {
		t.Fatal(err)
	}
	why := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { <-reached; cancel(why) })
	if _, err := src.Secret(ctx); !errors.Is(err, why) {
		t.Errorf("got %v, want the cause of the context", err)
	}
	wg.Wait()
}
