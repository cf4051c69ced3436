//go:build e2e && linux

package e2e

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/musternet/muster/sim"
)

// ageKeys are identities made by age and ssh-keygen, and for whom they are.
type ageKeys struct {
	dir       string
	recipient map[string]string // by the name of the file
}

func newAgeKeys(t *testing.T) *ageKeys {
	t.Helper()
	k := &ageKeys{t.TempDir(), map[string]string{}}
	for _, name := range []string{"mine", "yours", "lost"} {
		age(t, nil, "age-keygen", "-o", k.file(name))
		k.recipient[name] = strings.TrimSpace(string(age(t, nil, "age-keygen", "-y", k.file(name))))
	}
	for name, kind := range map[string][]string{"ed25519": {"ed25519"}, "rsa": {"rsa", "-b", "2048"}, "ecdsa": {"ecdsa"}} {
		age(t, nil, "ssh-keygen", append([]string{"-q", "-N", "", "-C", "", "-f", k.file(name), "-t"}, kind...)...)
		public, err := os.ReadFile(k.file(name) + ".pub")
		if err != nil {
			t.Fatal(err)
		}
		k.recipient[name] = strings.TrimSpace(string(public))
	}
	return k
}

func (k *ageKeys) file(name string) string { return filepath.Join(k.dir, name) }

// age runs one of those programs.
func age(t *testing.T, stdin []byte, name string, args ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), tool(t, name), args...)
	cmd.Stdin = bytes.NewReader(stdin)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s: %v: %s", name, err, stderr.String())
	}
	return stdout.Bytes()
}

// encrypt encrypts for some of them.
func (k *ageKeys) encrypt(t *testing.T, armored bool, text string, names ...string) []byte {
	t.Helper()
	args := []string{"-e"}
	if armored {
		args = append(args, "-a")
	}
	for _, name := range names {
		args = append(args, "-r", k.recipient[name])
	}
	return age(t, []byte(text), "age", args...)
}

// seal is encrypt into a file; it returns the reference to that.
func (k *ageKeys) seal(t *testing.T, file string, armored bool, text string, names ...string) string {
	t.Helper()
	if err := os.WriteFile(k.file(file), k.encrypt(t, armored, text, names...), 0o644); err != nil { // anybody may read it
		t.Fatal(err)
	}
	return "age:" + k.file(file)
}

// settings name identities.
func (k *ageKeys) settings(names ...string) string {
	var files []string
	for _, name := range names {
		files = append(files, k.file(name))
	}
	return fmt.Sprintf("secrets: {age: {identities: [%s]}}\n", strings.Join(files, ", "))
}

// keys are the secret words of the identities.
func (k *ageKeys) keys(t *testing.T) []string {
	t.Helper()
	var all []string
	for name := range k.recipient {
		data, err := os.ReadFile(k.file(name))
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(data)) {
			if line = strings.TrimSpace(line); len(line) > 40 && line[0] != '#' && line[0] != '-' {
				all = append(all, line)
			}
		}
	}
	return all
}

func TestWhatAgeEncryptedLogsIn(t *testing.T) {
	t.Parallel()
	fleet := startFleet(t, sim.Config{Devices: 2, Platforms: []string{"cisco_ios"}})
	k := newAgeKeys(t)
	set := fmt.Sprintf("password: %s\nsite: {enable: %q}\n", the.sec.password, the.sec.level)
	binary := k.seal(t, "set.age", false, set, "mine")
	text := k.seal(t, "set.asc", true, set, "mine")
	several := k.seal(t, "several.age", false, set, "yours", "mine", "ed25519", "rsa")
	alone := k.seal(t, "alone.age", true, the.sec.password+"\n", "mine")
	json := k.seal(t, "set.json.age", false, fmt.Sprintf(`{"password": %q, "site": {"enable": %q}}`, the.sec.password, the.sec.level), "mine")
	inline := "|\n      " + strings.ReplaceAll(strings.TrimSpace(string(k.encrypt(t, true, the.sec.password, "mine"))), "\n", "\n      ")
	for name, c := range map[string]struct {
		password, enable string
		identities       []string
	}{
		"a binary file":                       {binary + "#password", binary + "#site.enable", []string{"mine"}},
		"an armored file":                     {text + "#password", text + "#site.enable", []string{"mine"}},
		"a file that is the secret":           {alone, binary + "#site.enable", []string{"mine"}},
		"JSON":                                {json + "#password", json + "#site.enable", []string{"mine"}},
		"several recipients, the first":       {several + "#password", several + "#site.enable", []string{"yours"}},
		"several recipients and identities":   {several + "#password", several + "#site.enable", []string{"lost", "mine"}},
		"an SSH key, Ed25519":                 {several + "#password", several + "#site.enable", []string{"ed25519"}},
		"an SSH key, RSA":                     {several + "#password", several + "#site.enable", []string{"rsa"}},
		"a text in the settings":              {inline, text + "#site.enable", []string{"mine"}},
		"the second reference of a list":      {"[" + k.seal(t, "lost.age", false, "x", "lost") + ", " + alone + "]", text + "#site.enable", []string{"mine"}},
		"identities named in the environment": {binary + "#password", binary + "#site.enable", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, rest := newSite(t), k.settings(c.identities...)
			if c.identities == nil {
				s.set("MUSTER_AGE_IDENTITY", k.file("lost")+":"+k.file("mine"))
				rest = ""
			}
			s.bare(t, fleet)
			a := s.login(t, c.password, c.enable, rest)
			s.loggedIn(t, fleet, a)
			s.nowhere(t, a, k.keys(t)...)
		})
	}
}

func TestWhatAgeDoesNotOpenTriesNoLogin(t *testing.T) {
	t.Parallel()
	fleet := startFleet(t, sim.Config{Devices: 2, Platforms: []string{"cisco_ios"}})
	k := newAgeKeys(t)
	mine := k.seal(t, "mine.age", false, the.sec.password, "mine")
	set := k.seal(t, "set.age", true, "a: "+the.sec.password+"\nb: c\n", "mine")
	put := func(name string, data []byte, mode os.FileMode) string {
		if err := os.WriteFile(k.file(name), data, mode); err != nil {
			t.Fatal(err)
		}
		return "age:" + k.file(name)
	}
	whole, err := os.ReadFile(k.file("mine.age"))
	if err != nil {
		t.Fatal(err)
	}
	key, err := os.ReadFile(k.file("mine"))
	if err != nil {
		t.Fatal(err)
	}
	put("open", key, 0o644)
	put("plugin", []byte("AGE-PLUGIN-YUBIKEY-1QQQQQQQQQQQQ\n"), 0o600)
	put("mixed", append([]byte("AGE-PLUGIN-YUBIKEY-1QQQQQQQQQQQQ\n"), key...), 0o600)
	changed := bytes.Clone(whole)
	changed[len(changed)-1] ^= 1
	for name, c := range map[string]struct {
		ref        string
		identities []string
		words      []string
	}{
		"a wrong identity":                      {mine, []string{"lost"}, []string{"it was encrypted for others", k.file("lost")}},
		"a wrong SSH key":                       {mine, []string{"ed25519"}, []string{"it was encrypted for others", k.file("ed25519")}},
		"no identity":                           {mine, nil, []string{"no identity is known", "secrets: age: identities"}},
		"an identity that is not there":         {mine, []string{"none"}, []string{"identity file", k.file("none"), "no such file"}},
		"one that others may read":              {mine, []string{"open"}, []string{"others than its owner may read it", "chmod 600"}},
		"an SSH key of a kind that age has not": {mine, []string{"ecdsa"}, []string{"Ed25519 and RSA"}},
		"a plug-in":                             {mine, []string{"plugin"}, []string{"plug-in"}},
		"a plug-in beside an identity":          {mine, []string{"mixed"}, []string{"plug-in"}},
		"a file that was cut off":               {put("cut.age", whole[:len(whole)-1], 0o600), []string{"mine"}, []string{"it is damaged or was changed"}},
		"a file that was changed":               {put("changed.age", changed, 0o600), []string{"mine"}, []string{"it is damaged or was changed"}},
		"a file in clear text":                  {put("clear.age", []byte(the.sec.password), 0o600), []string{"mine"}, []string{"age did not make it"}},
		"a set of secrets without a key":        {set, []string{"mine"}, []string{"it holds several secrets", "#key"}},
		"a key that is not there":               {set + "#x", []string{"mine"}, []string{"it has no key \"x\""}},
		"a file that is not there":              {"age:" + k.file("none.age"), []string{"mine"}, []string{"no such file"}},
		"a list of which none opens":            {"[" + mine + ", env:NO_SUCH_VARIABLE]", []string{"lost"}, []string{"none of 2 references gives the secret", mine, "NO_SUCH_VARIABLE"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, rest := newSite(t), k.settings(c.identities...)
			if c.identities == nil {
				rest = ""
			}
			s.bare(t, fleet)
			a := s.login(t, c.ref, "env:HOME", rest)
			s.notLoggedIn(t, fleet, a, c.words...)
			s.nowhere(t, a, k.keys(t)...)
		})
	}
}

// A password that opens the file and not the device is a login that is rejected, and nothing else.
func TestAPasswordThatIsWrongIsRejectedOnceADevice(t *testing.T) {
	t.Parallel()
	fleet := startFleet(t, sim.Config{Devices: 2, Platforms: []string{"cisco_ios"}})
	k, s := newAgeKeys(t), newSite(t)
	s.bare(t, fleet)
	a := s.login(t, k.seal(t, "wrong.age", true, the.sec.wrong, "mine"), "env:HOME", k.settings("mine"))
	for name, o := range outcomes(t, a.stdout) {
		if o.word() != "auth auth-rejected" || o.Attempts != 1 {
			t.Errorf("%s: %s after %d attempts: %s", name, o.word(), o.Attempts, o.Error)
		}
	}
	if n := fleet.Counts(); a.code != 1 || n.Logins != 0 || n.Rejected != 2 {
		t.Errorf("exit %d, %d logins, %d rejected", a.code, n.Logins, n.Rejected)
	}
	s.nowhere(t, a, the.sec.wrong)
}
