package session

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"

	"golang.org/x/crypto/ssh"
)

// OpenKnownHosts reads known_hosts files; the first is where new keys are appended if acceptNew is set (trust on first
// use), which creates it with mode 0600. A file that is not there is empty.
//
// A host is known by the name it is dialled as. It is right if any of its keys on record matches. A key of another type
// than those on record is a changed key and not a new one: the types on record are asked for first, so a host that
// has them never shows another, and who does not have them must not get in by showing a new type. Marked lines:
// @revoked is honoured, @cert-authority is passed over, because host certificates are not asked for.
//
// The files are read once and indexed, whatever the number of sessions; they are read again only where a check would
// fail and a file has changed since.
func OpenKnownHosts(acceptNew bool, files ...string) (HostKeys, error) {
	if len(files) == 0 {
		return nil, errors.New("no known_hosts file named")
	}
	k := &knownHosts{files: files, accept: acceptNew}
	return k, k.load()
}

// defaultHostKeys is ssh's own file, strict.
func defaultHostKeys() (HostKeys, error) {
	home, err := os.UserHomeDir()
	if err != nil {
		return nil, err
	}
	return OpenKnownHosts(false, filepath.Join(home, ".ssh", "known_hosts"))
}

// knownHosts is safe for any number of sessions at once.
type knownHosts struct {
	files  []string
	accept bool

	mu     sync.Mutex
	plain  map[string][]hostEntry // by name as in the file
	others []hostEntry            // hashed names and patterns: looked at one by one
	stamps []stamp
	ragged bool // the first file does not end in a newline
}

type hostEntry struct {
	names   string // as in the file; only of others
	key     string // in wire format
	revoked bool
}

// stamp tells whether a file has changed.
type stamp struct {
	size int64
	time time.Time
}

func stampOf(file string) stamp {
	info, err := os.Stat(file)
	if err != nil {
		return stamp{}
	}
	return stamp{info.Size(), info.ModTime()}
}

// load reads all files anew. mu is held, or nobody else has k yet.
func (k *knownHosts) load() error {
	k.plain, k.others, k.stamps = map[string][]hostEntry{}, nil, nil
	for i, file := range k.files {
		k.stamps = append(k.stamps, stampOf(file))
		data, err := os.ReadFile(file)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("read known hosts: %w", err)
		}
		if i == 0 {
			k.ragged = len(data) > 0 && data[len(data)-1] != '\n'
		}
		for line := range bytes.Lines(data) {
			k.add(string(line))
		}
	}
	return nil
}

// add takes one line; what is no entry is passed over, as ssh does.
func (k *knownHosts) add(line string) {
	names, key, marker, ok := parseHostLine(line)
	if !ok || marker == "@cert-authority" {
		return
	}
	e := hostEntry{key: key, revoked: marker == "@revoked"}
	for name := range strings.SplitSeq(names, ",") {
		if strings.HasPrefix(name, "|") || strings.ContainsAny(name, "*?!") {
			e.names = names
			k.others = append(k.others, e)
			return
		}
	}
	for name := range strings.SplitSeq(strings.ToLower(names), ",") {
		k.plain[name] = append(k.plain[name], e)
	}
}

// parseHostLine splits "[@marker] names type base64 [comment]".
func parseHostLine(line string) (names, key, marker string, ok bool) {
	f := strings.Fields(line)
	if len(f) > 0 && strings.HasPrefix(f[0], "@") {
		marker, f = f[0], f[1:]
	}
	if len(f) < 3 || strings.HasPrefix(f[0], "#") {
		return "", "", "", false
	}
	raw, err := base64.StdEncoding.DecodeString(f[2])
	if err != nil || keyType(string(raw)) != f[1] {
		return "", "", "", false
	}
	return f[0], string(raw), marker, true
}

// keyType reads the type a key in wire format begins with; an empty one where it is broken.
func keyType(raw string) string {
	if len(raw) < 4 || raw[0] != 0 || raw[1] != 0 {
		return ""
	}
	n := int(raw[2])<<8 | int(raw[3])
	if len(raw) < 4+n {
		return ""
	}
	return raw[4 : 4+n]
}

// hostName is the name of an address in a known_hosts file.
func hostName(addr string) string {
	host, port := hostPort(strings.ToLower(addr), "22")
	if port == "22" {
		return host
	}
	return "[" + host + "]:" + port
}

// checkHostName refuses what would not be one name in a known_hosts file.
func checkHostName(name string) error {
	if name == "" || strings.ContainsFunc(name, unicode.IsSpace) || strings.ContainsAny(name, "#|*?!,@\\\x00") {
		return errors.New("it is no host name")
	}
	return nil
}

// find returns the entries of a host. mu is held.
func (k *knownHosts) find(name string) []hostEntry {
	found := k.plain[name]
	for _, e := range k.others {
		if matchNames(e.names, name) {
			found = append(slices.Clip(found), e)
		}
	}
	return found
}

// matchNames matches a comma-separated list of names, patterns, negated patterns or one hashed name.
func matchNames(names, name string) bool {
	matched := false
	for p := range strings.SplitSeq(names, ",") {
		negated := strings.HasPrefix(p, "!")
		if !matchName(strings.TrimPrefix(p, "!"), name) {
			continue
		}
		if negated {
			return false
		}
		matched = true
	}
	return matched
}

func matchName(pattern, name string) bool {
	if strings.HasPrefix(pattern, "|1|") {
		return matchHashed(pattern, name)
	}
	if strings.HasPrefix(pattern, "[") { // path.Match would take the brackets of [host]:port for a class
		pattern = strings.NewReplacer("[", `\[`, "]", `\]`).Replace(pattern)
	}
	ok, err := path.Match(strings.ToLower(pattern), name)
	return err == nil && ok
}

// matchHashed compares with "|1|salt|hash", the hash an HMAC-SHA1 as ssh's HashKnownHosts writes it.
func matchHashed(pattern, name string) bool {
	parts := strings.Split(pattern, "|")
	if len(parts) != 4 {
		return false
	}
	salt, err1 := base64.StdEncoding.DecodeString(parts[2])
	want, err2 := base64.StdEncoding.DecodeString(parts[3])
	if err1 != nil || err2 != nil {
		return false
	}
	mac := hmac.New(sha1.New, salt)
	mac.Write([]byte(name))
	return hmac.Equal(mac.Sum(nil), want)
}

// Algorithms returns the host-key algorithms of the keys on record.
func (k *knownHosts) Algorithms(addr string) []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	var algos []string
	for _, e := range k.find(hostName(addr)) {
		if e.revoked {
			continue
		}
		types := []string{keyType(e.key)}
		if types[0] == ssh.KeyAlgoRSA {
			types = []string{ssh.KeyAlgoRSASHA256, ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSA}
		}
		for _, t := range types {
			if !slices.Contains(algos, t) {
				algos = append(algos, t)
			}
		}
	}
	return algos
}

// Check implements HostKeys.
func (k *knownHosts) Check(addr string, _ net.Addr, key ssh.PublicKey) error {
	name, raw := hostName(addr), string(key.Marshal())
	k.mu.Lock()
	defer k.mu.Unlock()
	err := k.judge(name, raw, key)
	if err == nil {
		return nil
	}
	if k.stale() {
		if lost := k.load(); lost != nil {
			return asError(lost, stageHostKey, "hostkey-unknown")
		}
		if err = k.judge(name, raw, key); err == nil {
			return nil
		}
	}
	if err.Code == "hostkey-unknown" && k.accept {
		return k.record(name, raw, key)
	}
	return err
}

func (k *knownHosts) stale() bool {
	for i, file := range k.files {
		if stampOf(file) != k.stamps[i] {
			return true
		}
	}
	return false
}

func (k *knownHosts) judge(name, raw string, key ssh.PublicKey) *Error {
	shown := ssh.FingerprintSHA256(key)
	entries := k.find(name)
	right := false
	var recorded []string
	for _, e := range entries {
		switch {
		case e.revoked && e.key == raw:
			return failf(stageHostKey, "hostkey-changed", "the %s key %s of %s is marked as revoked", key.Type(), shown, name).
				hint("find out why this key was revoked before you connect again")
		case e.revoked:
		case e.key == raw:
			right = true
		default:
			recorded = append(recorded, keyType(e.key)+" "+fingerprint(e.key))
		}
	}
	if right {
		return nil
	}
	if len(recorded) > 0 {
		return failf(stageHostKey, "hostkey-changed", "%s shows the %s key %s; on record in %s: %s", name, key.Type(), shown,
			strings.Join(k.files, ", "), strings.Join(recorded, ", "))
	}
	return failf(stageHostKey, "hostkey-unknown", "%s shows the %s key %s; none is on record in %s", name, key.Type(), shown, strings.Join(k.files, ", "))
}

func fingerprint(raw string) string {
	key, err := ssh.ParsePublicKey([]byte(raw))
	if err != nil {
		return "(not readable)"
	}
	return ssh.FingerprintSHA256(key)
}

// record appends a new key with one write, so that a reader or another process never meets half a line.
func (k *knownHosts) record(name, raw string, key ssh.PublicKey) error {
	if err := checkHostName(name); err != nil {
		return asError(fmt.Errorf("record the host key of %s: %w", quote(name), err), stageHostKey, "hostkey-unknown")
	}
	line := hostLine(name, key)
	if k.ragged {
		line = "\n" + line
	}
	if err := appendFile(k.files[0], line); err != nil {
		return asError(fmt.Errorf("record the host key: %w", err), stageHostKey, "hostkey-unknown")
	}
	k.ragged = false
	k.plain[name] = append(k.plain[name], hostEntry{key: raw})
	k.stamps[0] = stampOf(k.files[0])
	return nil
}

func hostLine(name string, key ssh.PublicKey) string {
	return name + " " + strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key))) + "\n"
}

func appendFile(file, text string) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}
