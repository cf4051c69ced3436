package secret_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/musternet/muster/secret"
)

// helper is what the test binary does in the place of a password manager.
func helper(mode string, args []string) int {
	switch mode {
	case "args":
		fmt.Println(strings.Join(args, "|"))
	case "env":
		fmt.Println(os.Getenv("MUSTER_PASSWORD") + os.Getenv("MUSTER_ENABLE") + "clean")
	case "fail":
		fmt.Fprintln(os.Stderr, hidden)
		return 3
	case "flood":
		for range 10_000 {
			if _, err := fmt.Print(strings.Repeat("x", 1000)); err != nil {
				return 1
			}
		}
	case "hang":
		time.Sleep(time.Minute)
	}
	return 0
}

func open(t *testing.T, ref string) secret.Source {
	t.Helper()
	src, err := secret.Open(secret.Ref(ref), nil)
	if err != nil {
		t.Fatalf("open %s: %v", ref, err)
	}
	return src
}

func write(t *testing.T, text string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestBadReferencesAreRefusedWithoutBeingQuoted(t *testing.T) {
	t.Parallel()
	for ref, want := range map[string]string{
		hidden:                   "not a reference",
		"":                       "not a reference",
		"sha:" + hidden:          "not a reference",
		"ENV:" + hidden:          "not a reference",
		"env:":                   "name of one environment variable",
		"env:" + hidden + " x":   "name of one environment variable",
		"file:":                  "path after it",
		"file:" + hidden:         "begins with / or ~/",
		"file:~root/x":           "begins with / or ~/",
		"exec:":                  "command after it",
		"exec:pass 'x":           "without its second half",
		`exec:pass x\`:           "backslash",
		"keyring:" + hidden:      "not there yet",
		"file:/a\n":              "file: holds what cannot be printed",
		"prompt:\x1b[2J":         "prompt: holds what cannot be printed",
		"vault:a/b#c\x7f":        "vault: holds what cannot be printed",
		"file:/\x9b":             "file: holds what cannot be printed",
		"exec:a\x00b":            "exec: holds what cannot be printed",
		"age:" + hidden:          "begins with / or ~/",
		"age:/x#":                "wants a key behind the #",
		"vault:" + hidden:        "wants #field at its end",
		"vault:" + hidden + "#x": "wants mount/path",
		"vault:/a#x":             "wants mount/path",
		"vault:a//b#x":           "wants mount/path",
		"vault:a/data/../b#x":    "wants mount/path",
		"vault:a/b?v=2#x":        "takes ?version=N alone",
		"vault:a/b?version=0#x":  "takes ?version=N alone",
		"ansible-vault:x.yml#a":  "begins with / or ~/",
	} {
		_, err := secret.Open(secret.Ref(ref), nil)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q in it", ref, err, want)
		} else if strings.Contains(err.Error(), hidden) {
			t.Errorf("%q: the error quotes what may be a secret: %v", ref, err)
		}
		if (secret.Ref(ref).Check() == nil) != (err == nil) {
			t.Errorf("%q: Check and Open do not agree", ref)
		}
	}
	if _, err := secret.Open("just-a-word", nil); !errors.Is(err, secret.ErrNotRef) {
		t.Errorf("got %v, want ErrNotRef", err)
	}
}

func TestEnvReference(t *testing.T) {
	t.Setenv("SECRET_TEST_A", hidden)
	t.Setenv("SECRET_TEST_EMPTY", "")
	src := open(t, "env:SECRET_TEST_A")
	if s, err := src.Secret(t.Context()); err != nil || s.Reveal() != hidden {
		t.Errorf("got %q, %v", s.Reveal(), err)
	}
	t.Setenv("SECRET_TEST_A", "another")
	if s, _ := src.Secret(t.Context()); s.Reveal() != hidden {
		t.Error("a secret that was read once was read again")
	}
	for _, name := range []string{"SECRET_TEST_EMPTY", "SECRET_TEST_NOT_SET"} {
		if _, err := open(t, "env:"+name).Secret(t.Context()); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: got %v, want an error that names it", name, err)
		}
	}
}

func TestFileReference(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text, want, err string
		mode            os.FileMode
	}{
		"one line end is cut":              {"pw\n", "pw", "", 0o600},
		"a Windows line end is cut":        {"pw\r\n", "pw", "", 0o400},
		"only one line end is cut":         {"pw\n\n", "pw\n", "", 0o600},
		"blanks stay":                      {" pw ", " pw ", "", 0o600},
		"the group may not read it":        {hidden, "", "mode 0640): chmod 600", 0o640},
		"others may not read it":           {hidden, "", "mode 0604): chmod 600", 0o604},
		"an empty file is no secret":       {"\n", "", "it is empty", 0o600},
		"a file of 65 KiB is no secret":    {strings.Repeat("x", 65<<10), "", "more than 64 KiB", 0o600},
		"exactly 64 KiB is still a secret": {strings.Repeat("x", 64<<10), strings.Repeat("x", 64<<10), "", 0o600},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if runtime.GOOS == "windows" && strings.Contains(c.err, "mode") {
				t.Skip("files have no mode here")
			}
			s, err := open(t, "file:"+write(t, c.text, c.mode)).Secret(t.Context())
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) || strings.Contains(err.Error(), hidden) {
					t.Fatalf("got %v, want %q in it", err, c.err)
				}
			} else if err != nil || s.Reveal() != c.want {
				t.Fatalf("got %q, %v, want %q", s.Reveal(), err, c.want)
			}
		})
	}
	for path, want := range map[string]string{t.TempDir(): "not a regular file", "/no/such/file": "file:/no/such/file: no such file"} {
		if _, err := open(t, "file:"+path).Secret(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q in it", path, err, want)
		}
	}
}

func TestFileReferenceExpandsHome(t *testing.T) {
	path := write(t, "pw\n", 0o600)
	t.Setenv("HOME", filepath.Dir(path))
	t.Setenv("USERPROFILE", filepath.Dir(path))
	if s, err := open(t, "file:~/secret").Secret(t.Context()); err != nil || s.Reveal() != "pw" {
		t.Errorf("got %q, %v", s.Reveal(), err)
	}
}

func TestExecReference(t *testing.T) {
	t.Setenv("MUSTER_PASSWORD", hidden)
	t.Setenv("MUSTER_ENABLE", hidden)
	t.Setenv("GORACE", "atexit_sleep_ms=0") // a helper built with -race otherwise ends a second late
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ mode, args, want, err string }{
		{"args", `show "net/my routers" 'a b' c\ d e"f"g '' "q\"\\n"`, `show|net/my routers|a b|c d|efg||q"\n`, ""},
		{"args", "$HOME `id` * ~ ; > x | y", "$HOME|`id`|*|~|;|>|x|||y", ""},
		{"env", "", "clean", ""},
		{"fail", "", "", "exit status 3; run it by hand"},
		{"flood", "", "", "more than 64 KiB"},
		{"silent", "", "", "it is empty"},
	} {
		t.Setenv("SECRET_TEST_HELPER", c.mode)
		s, err := open(t, "exec:'"+self+"' "+c.args).Secret(t.Context())
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) || strings.Contains(err.Error(), hidden) {
				t.Errorf("%s: got %v, want %q in it", c.mode, err, c.err)
			}
		} else if err != nil || s.Reveal() != c.want {
			t.Errorf("%s: got %q, %v, want %q", c.mode, s.Reveal(), err, c.want)
		}
	}
	if _, err := open(t, "exec:no-such-command-here x").Secret(t.Context()); err == nil || !strings.Contains(err.Error(), "not found") {
		t.Errorf("got %v, want a sentence that the command is not found", err)
	}
}

func TestExecReferenceEndsWithItsContext(t *testing.T) {
	t.Setenv("SECRET_TEST_HELPER", "hang")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	why := errors.New("enough")
	ctx, cancel := context.WithTimeoutCause(t.Context(), 100*time.Millisecond, why)
	defer cancel()
	if _, err := open(t, "exec:'"+self+"'").Secret(ctx); !errors.Is(err, why) {
		t.Errorf("got %v, want the cause of the context", err)
	}
}

func TestPromptIsAskedOnceForAllWhoNeedIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		asked, atOnce := map[string]int{}, 0
		ask := secret.AskOnce(func(_ context.Context, text string) (secret.Secret, error) {
			mu.Lock()
			asked[text]++
			atOnce++
			if atOnce > 1 {
				t.Error("two prompts stand on the terminal at once")
			}
			mu.Unlock()
			time.Sleep(time.Second)
			mu.Lock()
			atOnce--
			mu.Unlock()
			return secret.New("pw of " + text), nil
		})
		var wg sync.WaitGroup
		for i := range 40 {
			text := []string{"Password for ams", "Password for fra"}[i%2]
			src, err := secret.Open(secret.Ref("prompt:"+text), ask) // a source of its own each
			if err != nil {
				t.Fatal(err)
			}
			wg.Go(func() {
				if s, err := src.Secret(t.Context()); err != nil || s.Reveal() != "pw of "+text {
					t.Errorf("got %q, %v", s.Reveal(), err)
				}
			})
		}
		wg.Wait()
		if len(asked) != 2 || asked["Password for ams"] != 1 || asked["Password for fra"] != 1 {
			t.Errorf("asked %v, want each text once", asked)
		}
	})
}

func TestPromptFailures(t *testing.T) {
	t.Parallel()
	if _, err := open(t, "prompt:Password").Secret(t.Context()); err == nil || !strings.Contains(err.Error(), "nobody can be asked") {
		t.Errorf("got %v, want a sentence that nobody can be asked", err)
	}
	src, _ := secret.Open("prompt:", func(context.Context, string) (secret.Secret, error) { return secret.New(""), nil })
	if _, err := src.Secret(t.Context()); err == nil || !strings.Contains(err.Error(), "nothing was typed") {
		t.Errorf("got %v, want a sentence that nothing was typed", err)
	}
}

func TestOneReadingServesAllAndACancelledOneIsNotKept(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		reads := 0
		src, err := secret.Open("prompt:x", func(ctx context.Context, _ string) (secret.Secret, error) {
			reads++
			select {
			case <-time.After(time.Minute):
				return secret.New("pw"), nil
			case <-ctx.Done():
				return secret.Secret{}, ctx.Err()
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		first, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := src.Secret(first); !errors.Is(err, context.Canceled) {
				t.Errorf("the first: got %v, want its cancellation", err)
			}
		})
		synctest.Wait()
		for range 10 {
			wg.Go(func() {
				if s, err := src.Secret(t.Context()); err != nil || s.Reveal() != "pw" {
					t.Errorf("who waited: got %q, %v", s.Reveal(), err)
				}
			})
		}
		short, stop := context.WithTimeout(t.Context(), time.Second)
		defer stop()
		wg.Go(func() {
			if _, err := src.Secret(short); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("who waited too long: got %v, want its deadline", err)
			}
		})
		time.Sleep(2 * time.Second) // who waits too long has gone
		cancel()
		wg.Wait()
		if reads != 2 {
			t.Errorf("%d readings, want 2: one cancelled, one for all others", reads)
		}
	})
}

func TestAReadingThatPanicsLeavesNobodyWaiting(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		src, _ := secret.Open("prompt:x", func(context.Context, string) (secret.Secret, error) {
			if calls++; calls == 1 {
				time.Sleep(time.Second)
				panic("a mistake")
			}
			return secret.New("pw"), nil
		})
		var wg sync.WaitGroup
		wg.Go(func() {
			defer func() { _ = recover() }()
			_, _ = src.Secret(t.Context())
		})
		synctest.Wait()
		if s, err := src.Secret(t.Context()); err != nil || s.Reveal() != "pw" {
			t.Errorf("got %q, %v", s.Reveal(), err)
		}
		wg.Wait()
	})
}
