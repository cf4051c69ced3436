package secret_test

import (
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/musternet/muster/secret"
)

// What nobody may print.
const (
	rootToken = "hvs.CAESroot-T0ken"
	roleID    = "5f1c-role-1D"
	secretID  = "9a2b-s3cret-1D"
)

// vaultToken is what the server knows of a token.
type vaultToken struct {
	ttl       int // seconds; 0: for ever
	renewable bool
	renewals  int
	mostTTL   int  // what a renewal gives at most; 0: ttl
	mute      bool // may not look itself up
	old       bool // a server that does not say why it refuses
}

// vaultServer answers as Vault 1.15 does, over TLS: what its API documentation says of AppRole, tokens and KV version 2.
type vaultServer struct {
	*httptest.Server
	ca string

	mu       sync.Mutex
	tokens   map[string]*vaultToken
	kv       map[string][]map[string]any         // versions by path, from 1; nil: deleted
	roleTTL  int                                 // of tokens that AppRole gives
	fault    func(http.ResponseWriter, int) bool // answers in the place of the server; gets the number of the request
	asked    []string                            // method and path of each request
	headers  []http.Header
	logins   int
	deletion string // when the versions are deleted
}

func newVaultServer(t testing.TB) *vaultServer {
	t.Helper()
	v := &vaultServer{
		tokens: map[string]*vaultToken{rootToken: {}}, roleTTL: 3600,
		kv: map[string][]map[string]any{
			"secret/data/routers": {{"password": "old-" + hidden}, {"password": hidden, "enable": "en-" + hidden, "port": 22, "ssh": map[string]any{"passphrase": "nested-" + hidden}, "empty": "", "list": []string{"x"}}},
			"secret/data/gone":    {{"password": hidden}, nil},
			"kv/net/data/a b":     {{"password": "spaced-" + hidden}},
		},
	}
	v.Server = httptest.NewUnstartedServer(http.HandlerFunc(v.answer))
	v.Config.ErrorLog = log.New(io.Discard, "", 0) // clients that do not trust it, and handlers that break off
	v.StartTLS()
	t.Cleanup(v.Close)
	v.ca = filepath.Join(t.TempDir(), "ca.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: v.Certificate().Raw})
	if err := os.WriteFile(v.ca, block, 0o644); err != nil {
		t.Fatal(err)
	}
	return v
}

// settings are those of one who logs in by the root token.
func (v *vaultServer) settings() secret.Vault {
	return secret.Vault{Address: v.URL, CAFile: v.ca, Token: secret.Literal(secret.New(rootToken))}
}

// appRole are the settings of one who logs in by AppRole.
func (v *vaultServer) appRole() secret.Vault {
	return secret.Vault{Address: v.URL, CAFile: v.ca, RoleID: secret.Literal(secret.New(roleID)), SecretID: secret.Literal(secret.New(secretID + "\n"))}
}

// with changes what the server knows.
func (v *vaultServer) with(change func()) {
	v.mu.Lock()
	defer v.mu.Unlock()
	change()
}

// requests returns how many requests had a path.
func (v *vaultServer) requests(path string) int {
	v.mu.Lock()
	defer v.mu.Unlock()
	n := 0
	for _, asked := range v.asked {
		if strings.HasSuffix(asked, path) {
			n++
		}
	}
	return n
}

func (v *vaultServer) answer(w http.ResponseWriter, r *http.Request) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.asked = append(v.asked, r.Method+" "+r.URL.Path)
	v.headers = append(v.headers, r.Header.Clone())
	if v.fault != nil && v.fault(w, len(v.asked)) {
		return
	}
	body, _ := io.ReadAll(r.Body)
	token := v.tokens[r.Header.Get("X-Vault-Token")]
	path := strings.TrimPrefix(r.URL.Path, "/v1/")
	switch {
	case r.Method == "POST" && strings.HasPrefix(path, "auth/") && strings.HasSuffix(path, "/login"):
		v.login(w, path, body)
	case token == nil:
		refuse(w, 403, "2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n")
	case token.old, path == "auth/token/lookup-self" && token.mute:
		refuse(w, 403, "1 error occurred:\n\t* permission denied\n\n")
	case r.Method == "GET" && path == "auth/token/lookup-self":
		reply(w, map[string]any{"data": map[string]any{"ttl": token.ttl, "renewable": token.renewable}})
	case r.Method == "POST" && path == "auth/token/renew-self":
		v.renew(w, token, r.Header.Get("X-Vault-Token"))
	case r.Method == "GET":
		v.get(w, path, r.URL.Query().Get("version"))
	default:
		refuse(w, 405, "unsupported operation")
	}
}

func (v *vaultServer) login(w http.ResponseWriter, path string, body []byte) {
	var id map[string]string
	_ = json.Unmarshal(body, &id)
	if !strings.HasPrefix(path, "auth/approle/") && !strings.HasPrefix(path, "auth/team/roles/") {
		refuse(w, 403, "permission denied")
		return
	}
	if id["role_id"] != roleID || id["secret_id"] != secretID {
		refuse(w, 400, "invalid role or secret ID")
		return
	}
	v.logins++
	token := fmt.Sprintf("hvs.CAESlogin-%d", v.logins)
	v.tokens[token] = &vaultToken{ttl: v.roleTTL, renewable: true}
	reply(w, map[string]any{"auth": map[string]any{"client_token": token, "lease_duration": v.roleTTL, "renewable": true}})
}

func (v *vaultServer) renew(w http.ResponseWriter, token *vaultToken, text string) {
	if !token.renewable {
		refuse(w, 400, "lease is not renewable")
		return
	}
	token.renewals++
	ttl := token.ttl
	if token.mostTTL > 0 {
		ttl = min(ttl, token.mostTTL)
	}
	reply(w, map[string]any{"auth": map[string]any{"client_token": text, "lease_duration": ttl, "renewable": true}})
}

func (v *vaultServer) get(w http.ResponseWriter, path, version string) {
	if strings.HasPrefix(path, "v1mount/") {
		reply(w, map[string]any{"data": map[string]any{"password": hidden}, "lease_duration": 2764800})
		return
	}
	if !strings.HasPrefix(path, "secret/") && !strings.HasPrefix(path, "kv/") {
		refuse(w, 404, `no handler for route "`+path+`". route entry not found.`)
		return
	}
	if strings.HasPrefix(path, "secret/data/forbidden") {
		refuse(w, 403, "1 error occurred:\n\t* permission denied\n\n")
		return
	}
	all := v.kv[path]
	n, _ := strconv.Atoi(version)
	if n == 0 {
		n = len(all)
	}
	if n < 1 || n > len(all) {
		refuse(w, 404)
		return
	}
	meta := map[string]any{"version": n, "deletion_time": v.deletion, "destroyed": strings.HasSuffix(path, "burnt"), "created_time": "2026-01-02T03:04:05.678Z"}
	if all[n-1] == nil {
		meta["deletion_time"] = "2026-02-03T04:05:06.789Z"
		w.WriteHeader(404)
	}
	reply(w, map[string]any{"lease_id": "", "lease_duration": 0, "data": map[string]any{"data": all[n-1], "metadata": meta}})
}

func reply(w http.ResponseWriter, v any) { _ = json.NewEncoder(w).Encode(v) }

func refuse(w http.ResponseWriter, status int, errs ...string) {
	w.WriteHeader(status)
	reply(w, map[string]any{"errors": append([]string{}, errs...)})
}
