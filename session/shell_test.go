package session_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/musternet/muster/session"
	"github.com/musternet/muster/session/sessiontest"
)

// dialShell logs in to a device over a connection in memory.
func dialShell(t *testing.T, d sessiontest.Device, sh session.Shell) *session.Session {
	t.Helper()
	srv := sessiontest.New(t, d)
	c := srv.Config(t)
	c.Shell = &sh
	s, err := session.Dial(t.Context(), srv.Addr, c)
	if err != nil {
		t.Fatalf("dial: %v", err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// raw is a device that echoes each command and answers it with bytes as they are, prompt included.
func raw(prompt string, answer func(t *sessiontest.Terminal, cmd string)) sessiontest.Device {
	return sessiontest.Device{Shell: func(t *sessiontest.Terminal) {
		t.Print("\r\nhello\r\n" + prompt)
		for {
			cmd, err := t.Line(true)
			if err != nil {
				return
			}
			answer(t, cmd)
		}
	}}
}

func mustRun(t *testing.T, s *session.Session, cmd string) string {
	t.Helper()
	out, err := s.Run(t.Context(), cmd)
	if err != nil {
		t.Fatalf("%s: %v", cmd, err)
	}
	return out.Text
}

func TestTextArrivesWholeHoweverItIsCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const prompt = "sw1#"
		sent := "line 1\r\n" +
			"sw1# is no prompt here\r\n" +
			"sw1#\r\n" +
			"banner motd # sw1> sw1# #\r\n" +
			"\x1b[1mbold\x1b[0m \x1b]0;title\x07plain\r\n" +
			"progress 10%\rprogress 99%\r\n" +
			"typo\b \b\b \bed\r\n" +
			"--More-- is what this line says\r\n" +
			" --More-- \b\b\b\b\b\b\b\b\b\b          \b\b\b\b\b\b\b\b\b\b indented ü\r\n" +
			"nul\x00led\r\r\n" +
			"end\r\n" + prompt
		want := "line 1\nsw1# is no prompt here\nsw1#\nbanner motd # sw1> sw1# #\nbold plain\nprogress 99%\ntyed\n" +
			"--More-- is what this line says\n indented ü\nnulled\nend\n"
		pagerAt := strings.Index(sent, " --More-- \b") + len(" --More-- ")
		d := raw(prompt, func(t *sessiontest.Terminal, cmd string) {
			cut, _ := strconv.Atoi(strings.TrimPrefix(cmd, "show "))
			for i, piece := range []string{sent[:pagerAt], sent[pagerAt:]} {
				if i == 1 {
					if c, err := t.Key(); err != nil || c != ' ' {
						return
					}
					cut -= pagerAt
				}
				if cut > 0 && cut < len(piece) {
					t.Print(piece[:cut])
					time.Sleep(2 * time.Millisecond)
					piece = piece[cut:]
				}
				t.Print(piece)
			}
		})
		s := dialShell(t, d, session.Shell{})
		for cut := range len(sent) {
			if got := mustRun(t, s, "show "+strconv.Itoa(cut)); got != want {
				t.Fatalf("cut at %d:\ngot  %q\nwant %q", cut, got, want)
			}
		}
	})
}

func TestTextArrivesWholeOneByteAtATime(t *testing.T) {
	for _, pause := range []time.Duration{0, time.Millisecond, 100 * time.Millisecond, time.Second} {
		t.Run(pause.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				text := "hostname sw1\r\nsw1# not\r\nend\r\n"
				d := raw("sw1# ", func(t *sessiontest.Terminal, cmd string) {
					for _, c := range text + "sw1# " {
						t.Print(string(c))
						time.Sleep(pause)
					}
				})
				s := dialShell(t, d, session.Shell{})
				if got, want := mustRun(t, s, "show run"), strings.ReplaceAll(text, "\r", ""); got != want {
					t.Fatalf("got %q, want %q", got, want)
				}
			})
		})
	}
}

func TestPagersAreAnsweredAndWiped(t *testing.T) {
	pagers := []sessiontest.Pager{
		{Prompt: " --More-- ", Erase: "\b\b\b\b\b\b\b\b\b\b          \b\b\b\b\b\b\b\b\b\b"},
		{Prompt: "--More--", Erase: "\r        \r"},
		{Prompt: "<--- More --->", Erase: "\r              \r"},
		{Prompt: "---(more)---", Erase: "\r\x1b[K"},
		{Prompt: "---(more 45%)---", Erase: "\r                                        \r"},
		{Prompt: "  ---- More ----", Erase: "\x1b[16D                \x1b[16D"},
		{Prompt: "-- MORE --, next page: Space, next line: Enter, quit: Control-C", Erase: "\r\x1b[2K"},
		{Prompt: "--More-- or (q)uit", Erase: "\x1b[2K\r"},
		{Prompt: "--More--(12%)", Erase: "\r             \r"},
		{Prompt: "\x1b[7m--More--\x1b[m", Erase: "\r\x1b[K"},
		{Prompt: "More: <space>,  Quit: q or CTRL+Z, One line: <return> ", Erase: "\r" + strings.Repeat(" ", 60) + "\r"},
		{Prompt: "Press any key to continue (Q to quit)", Erase: "\r" + strings.Repeat(" ", 40) + "\r"},
		{Prompt: "\x1b[7mlines 1-23\x1b[27m\x1b[K", Erase: "\r\x1b[K"},
		{Prompt: "lines 24-46/200 23%", Erase: "\r\x1b[K"},
		{Prompt: "-- [Q quit|D dump|down]", Erase: "\r\x1b[K"},
		{Prompt: "--More--", Erase: "\r\n"},
		{Prompt: "[More]", Erase: "\r      \r"},
	}
	var text strings.Builder
	for i := range 40 {
		fmt.Fprintf(&text, "%*sline %d\n", i%3, "", i)
		if i%8 == 0 {
			text.WriteString("\n")
		}
	}
	for _, p := range pagers {
		for _, lines := range []int{1, 5, 24} {
			t.Run(fmt.Sprintf("%q by %d", p.Prompt+p.Erase, lines), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					p.Lines = lines
					d := sessiontest.Device{Pager: &p, Commands: map[string]string{"show run": text.String(), "show two": "a\nb\n"}}
					s := dialShell(t, d, session.Shell{})
					for range 2 {
						if got := mustRun(t, s, "show run"); got != text.String() {
							t.Fatalf("got %q\nwant %q", got, text.String())
						}
					}
					if got := mustRun(t, s, "show two"); got != "a\nb\n" {
						t.Fatalf("got %q", got)
					}
				})
			})
		}
	}
}

func TestLessIsAnsweredWhateverItsTerminal(t *testing.T) {
	for name, screen := range map[string][2]string{
		"alternate screen": {"\x1b[?1049h\x1b[22;0;0t\x1b[?1h\x1b=\r", "\x1b[?1l\x1b>\x1b[?1049l\x1b[23;0;0t"},
		"vt100":            {"\x1b[?1h\x1b=\r", "\x1b[?1l\x1b>"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := raw("r1# ", func(t *sessiontest.Terminal, cmd string) {
					t.Print(screen[0] + "one\r\ntwo\r\n:")
					t.Key()
					t.Print("\r\x1b[Kthree\r\n\x1b[7m(END)\x1b[27m\x1b[K")
					t.Key()
					t.Print("\r\x1b[K" + screen[1] + "r1# ")
				})
				s := dialShell(t, d, session.Shell{})
				if got := mustRun(t, s, "show run"); got != "one\ntwo\nthree\n" {
					t.Fatalf("got %q", got)
				}
			})
		})
	}
}

func TestPromptIsLearntBehindAnyMessage(t *testing.T) {
	motds := map[string]string{
		"none":                   "",
		"blank lines":            "\r\n\r\n",
		"frame of hashes":        "####################\r\n# Authorized only #\r\n####################\r\n",
		"greater-than signs":     ">>> welcome >>>\r\nsw9>\r\nsw9#\r\n",
		"a line like the prompt": "sw1# is the prompt here\r\nsw1#\r\n",
		"a paged message":        "please read\r\n--More--",
		"a key to press":         "Press any key to continue",
	}
	prompts := []string{"sw1#", "sw1# ", "sw1>", "admin@r1> ", "[admin@MikroTik] > ", "user@host:~$ ", "RP/0/RP0/CPU0:xr1#", "fw (root) # ", "$ ", "# ",
		"<HUAWEI>", "[HUAWEI]", "bird> ", "\x1b[01;32muser@host\x1b[00m:\x1b[01;34m~\x1b[00m$ ", "sw-a/pri/act# ", "*A:sr1# "}
	for name, motd := range motds {
		for _, prompt := range prompts {
			t.Run(name+" "+prompt, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					d := sessiontest.Device{Shell: func(t *sessiontest.Terminal) {
						for i := 0; i < len(motd); i += 7 {
							t.Print(motd[i:min(i+7, len(motd))])
							time.Sleep(3 * time.Millisecond)
						}
						if strings.HasSuffix(motd, "--") || strings.HasSuffix(motd, "continue") {
							t.Key()
							t.Print("\r\n")
						}
						t.Print(prompt)
						for {
							cmd, err := t.Line(true)
							if err != nil {
								return
							}
							if cmd != "" {
								t.Print("out of " + cmd + "\r\n")
							}
							t.Print(prompt)
						}
					}}
					s := dialShell(t, d, session.Shell{})
					if got := mustRun(t, s, "show x"); got != "out of show x\n" {
						t.Fatalf("got %q with prompt %q", got, s.Info().Prompt)
					}
					want := regexp.MustCompile(`\x1b\[[0-9;]*m`).ReplaceAllString(prompt, "")
					if p := s.Info().Prompt; p != want {
						t.Fatalf("learnt %q, want %q", p, want)
					}
				})
			})
		}
	}
}

func TestPromptFollowsModesAndHosts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		steps := map[string]string{
			"enable": "sw1#", "configure terminal": "sw1(config)#", "interface x": "sw1(config-if)#", "end": "sw1#", "hostname sw2": "sw2#",
		}
		d := raw("sw1>", func(t *sessiontest.Terminal, cmd string) { t.Print("done\r\n" + steps[cmd]) })
		s := dialShell(t, d, session.Shell{Prompt: regexp.MustCompile(`^(?P<host>[\w.-]+)(\([\w-]+\))?[#>]$`)})
		for _, cmd := range []string{"enable", "configure terminal", "interface x", "end"} {
			if got := mustRun(t, s, cmd); got != "done\n" || s.Info().Prompt != steps[cmd] {
				t.Fatalf("%s: got %q at %q", cmd, got, s.Info().Prompt)
			}
		}
		out, err := s.Do(t.Context(), session.Command{Text: "hostname sw2", Prompt: regexp.MustCompile(`^sw2#$`)})
		if err != nil || out.Text != "done\n" {
			t.Fatalf("got %q, %v", out.Text, err)
		}
		if got := mustRun(t, s, "hostname sw2"); got != "done\n" {
			t.Fatalf("got %q", got)
		}
	})
}

func TestTheCallersDeadlineStaysInTheError(t *testing.T) {
	for _, said := range []string{"", "half a line"} {
		synctest.Test(t, func(t *testing.T) {
			d := raw("sw1#", func(t *sessiontest.Terminal, cmd string) { t.Print(said); t.Key() })
			s := dialShell(t, d, session.Shell{})
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			_, err := s.Run(ctx, "show x")
			wantFailure(t, err, "command", "timeout")
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%v does not match context.DeadlineExceeded", err)
			}
		})
	}
}

func TestPromptOfAnotherHostIsNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := raw("sw1#", func(t *sessiontest.Terminal, cmd string) {
			t.Print("sw2#")
			time.Sleep(time.Second)
			t.Print(" is a neighbour\r\nsw1#")
		})
		s := dialShell(t, d, session.Shell{Prompt: regexp.MustCompile(`^(?P<host>[\w.-]+)(\([\w-]+\))?[#>]$`)})
		if got := mustRun(t, s, "show n"); got != "sw2# is a neighbour\n" {
			t.Fatalf("got %q", got)
		}
	})
}

func TestEchoIsTakenOffHoweverItIsPainted(t *testing.T) {
	long := "show running-config | include a-rather-long-expression-that-does-not-fit-in-a-narrow-line-of-eighty"
	cases := map[string]func(t *sessiontest.Terminal, cmd string){
		"none":              func(t *sessiontest.Terminal, cmd string) { t.Print("\r\n") },
		"none at all":       func(t *sessiontest.Terminal, cmd string) {},
		"plain":             func(t *sessiontest.Terminal, cmd string) { t.Print(cmd + "\r\n") },
		"CR CR LF":          func(t *sessiontest.Terminal, cmd string) { t.Print(cmd + "\r\r\n") },
		"wrapped":           func(t *sessiontest.Terminal, cmd string) { t.Print(cmd[:40] + "\r\n" + cmd[40:] + "\r\n") },
		"wrapped with CR":   func(t *sessiontest.Terminal, cmd string) { t.Print(cmd[:70] + "\r\n\r" + cmd[70:] + "\r\n") },
		"repainted":         func(t *sessiontest.Terminal, cmd string) { t.Print(cmd[:9] + "\r\x1b[Ksw1#" + cmd + "\r\n") },
		"scrolled":          func(t *sessiontest.Terminal, cmd string) { t.Print(cmd[:60] + "\rsw1#$" + cmd[50:] + "\x1b[K\r\n") },
		"behind a log line": func(t *sessiontest.Terminal, cmd string) { t.Print("\r\n%SYS-5-CONFIG_I: by x\r\nsw1#" + cmd + "\r\n") },
		"with backspaces":   func(t *sessiontest.Terminal, cmd string) { t.Print(cmd + "x\b \b\r\n") },
	}
	for name, echo := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := sessiontest.Device{Shell: func(t *sessiontest.Terminal) {
					t.Print("sw1#")
					for {
						cmd, err := t.Line(false)
						if err != nil {
							return
						}
						echo(t, cmd)
						t.Print(" one\r\ntwo\r\nsw1#")
					}
				}}
				s := dialShell(t, d, session.Shell{})
				for range 2 {
					if got := mustRun(t, s, long); got != " one\ntwo\n" {
						t.Fatalf("got %q", got)
					}
				}
			})
		})
	}
}

func TestOutputWithoutAnEndOfLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := raw("sw1# ", func(t *sessiontest.Terminal, cmd string) { t.Print("warning: no newlinesw1# ") })
		s := dialShell(t, d, session.Shell{})
		if got := mustRun(t, s, "x"); got != "warning: no newline" {
			t.Fatalf("got %q", got)
		}
	})
}

func TestOutputWithoutAnEndOfLineBehindAPager(t *testing.T) {
	for _, wipe := range []string{"", "\r        \r", "\x1b[2K\r", "\b\b\b\b\b\b\b\b\x1b[K"} {
		synctest.Test(t, func(t *testing.T) {
			d := raw("sw1#", func(t *sessiontest.Terminal, cmd string) {
				t.Print("one\r\n--More--")
				if _, err := t.Key(); err == nil {
					t.Print(wipe + "twosw1#")
				}
			})
			if got := mustRun(t, dialShell(t, d, session.Shell{}), "x"); got != "one\ntwo" {
				t.Errorf("wiped with %q: got %q", wipe, got)
			}
		})
	}
}

func TestALineThatEndsLikeAPagerStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := raw("sw1#", func(t *sessiontest.Terminal, cmd string) {
			t.Print("one\r\n description to --More--")
			if _, err := t.Key(); err == nil { // it takes that for the pager: the packet ends here
				t.Print("\r\ntwo\r\n --More-- ")
			}
			if _, err := t.Key(); err == nil {
				t.Print("\r\nthree\r\nsw1#")
			}
		})
		sh := session.Shell{Pagers: []session.Pager{{Match: regexp.MustCompile(`--More--\s*$`), Answer: " "}}}
		if got := mustRun(t, dialShell(t, d, sh), "x"); got != "one\n description to --More--\ntwo\nthree\n" {
			t.Errorf("got %q", got)
		}
	})
}

func TestLogLineBehindThePromptIsNoHang(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first := true
		d := raw("sw1#", func(t *sessiontest.Terminal, cmd string) {
			if cmd != "" {
				t.Print("out\r\n")
			}
			t.Print("sw1#")
			if first {
				first = false
				time.Sleep(time.Millisecond)
				t.Print("\r\n*Mar  1 00:00:01: %SYS-5-CONFIG_I: Configured\r\n")
			}
		})
		s := dialShell(t, d, session.Shell{})
		if got := mustRun(t, s, "x"); !strings.HasPrefix(got, "out\nsw1#\n*Mar") {
			t.Fatalf("got %q", got)
		}
		if got := mustRun(t, s, "y"); got != "out\n" {
			t.Fatalf("got %q", got)
		}
	})
}

func TestRepliesAnswerQuestions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := sessiontest.Device{Shell: func(t *sessiontest.Terminal) {
			prompt := "sw1>"
			t.Print(prompt)
			for {
				cmd, err := t.Line(true)
				if err != nil {
					return
				}
				if cmd == "enable" {
					t.Print("Password: ")
					if pw, _ := t.Line(false); pw == "letmein1" {
						prompt = "sw1#"
						t.Print("\r\n")
					} else {
						t.Print("\r\nPassword: ")
						t.Line(false)
						t.Print("\r\n% Bad secrets\r\n")
					}
				}
				t.Print(prompt)
			}
		}}
		ask := regexp.MustCompile(`^Password: $`)
		for _, secret := range []string{"letmein1", "wrongone"} {
			s := dialShell(t, d, session.Shell{})
			_, err := s.Do(t.Context(), session.Command{Text: "enable", Replies: []session.Reply{
				{Match: ask, Hidden: true, Answer: sessiontest.Secret(secret)},
				{Match: ask, Fail: &session.Error{Stage: "prompt", Code: "enable-rejected"}},
			}})
			if secret == "letmein1" && (err != nil || s.Info().Prompt != "sw1#") {
				t.Fatalf("got %v at %q", err, s.Info().Prompt)
			}
			if secret == "wrongone" {
				wantFailure(t, err, "prompt", "enable-rejected")
			}
			if strings.Contains(string(s.Transcript()), secret) || !strings.Contains(string(s.Transcript()), "***") {
				t.Fatalf("transcript: %s", s.Transcript())
			}
		}
	})
}

func TestWideAndLargeOutputs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		want := strings.Repeat("x", 5000) + "\n" + strings.Repeat("0123456789 some configuration line\n", 200_000)
		s := dialShell(t, sessiontest.Device{Commands: map[string]string{"show tech": want}}, session.Shell{})
		if got := mustRun(t, s, "show tech"); got != want {
			t.Fatalf("got %d bytes, want %d", len(got), len(want))
		}
	})
}

func TestResetAtAnyByteIsNeverASuccess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sent := "show run\r\nhostname sw1\r\nsw1#\r\n interface x\r\nend\r\nsw1#"
		for cut := range len(sent) {
			d := sessiontest.Device{Shell: func(t *sessiontest.Terminal) {
				t.Print("sw1#")
				t.Line(false)
				t.Print(sent[:cut])
			}}
			s := dialShell(t, d, session.Shell{})
			out, err := s.Run(t.Context(), "show run")
			wantFailure(t, err, "command", "connection-lost")
			if out.Text != "" {
				t.Fatalf("cut at %d: got %q", cut, out.Text)
			}
		}
	})
}

func TestCanceledCommandEndsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := raw("sw1#", func(t *sessiontest.Terminal, cmd string) { t.Print("working...\r\n"); t.Key() })
		s := dialShell(t, d, session.Shell{})
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		began := time.Now()
		_, err := s.Run(ctx, "show tech")
		wantFailure(t, err, "canceled", "canceled")
		if took := time.Since(began); took != time.Second {
			t.Fatalf("took %v", took)
		}
		_, err = s.Run(t.Context(), "again")
		wantFailure(t, err, "canceled", "canceled")
	})
}

func TestTerminalControlIsUndone(t *testing.T) {
	cases := []struct{ name, sent, want string }{
		{"colours", "\x1b[1;31mred\x1b[0m", "red"},
		{"overwritten", "abcdef\rxyz", "xyzdef"},
		{"erased to the end", "abcdef\rxyz\x1b[K", "xyz"},
		{"erased to the cursor", "abcdef\b\b\b\x1b[1K", "    ef"},
		{"erased whole", "abcdef\x1b[2K\rnew", "new"},
		{"cursor back and forth", "abc\x1b[2Dx\x1b[Cy", "axcy"},
		{"cursor beyond the end", "a\x1b[5Gb", "a   b"},
		{"column by position", "abc\x1b[24;2Hx", "axc"},
		{"deleted", "abcdef\r\x1b[2P", "cdef"},
		{"inserted", "abc\r\x1b[2@xy", "xyabc"},
		{"blanked", "abcdef\r\x1b[3X", "   def"},
		{"window title", "\x1b]0;title\x07text", "text"},
		{"title with ST", "\x1b]2;title\x1b\\text", "text"},
		{"device control string", "\x1bPq#0\x1b\\text", "text"},
		{"a string without an end", "one \x1b]two\r\nthree", "one \nthree"},
		{"character set", "\x1b(Btext\x1b)0", "text"},
		{"keypad and cursor", "\x1b=\x1b>\x1b[?25l\x1b7te\x1b8xt\x1b[?25h", "text"},
		{"next line", "one\x1bEtwo", "one\ntwo"},
		{"clear screen", "junk\x1b[2J\rtext", "text"},
		{"sequence begun anew", "te\x1b[1\x1b[0mxt", "text"},
		{"newline inside a sequence", "te\x1b[\n0mxt", "te\nxt"},
		{"tab and bell", "a\tb\x07", "a\tb"},
		{"form feed stays", "a\x0cb", "a\x0cb"},
		{"latin1 stays", "caf\xe9 \x9b", "caf\xe9 \x9b"},
		{"utf-8 stays", "Zürich → 東京", "Zürich → 東京"},
		{"trailing blanks stay", "abc   ", "abc   "},
		{"spaces over text go", "abc\b\b\b   \b\b\bx", "x"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := raw("sw1#", func(t *sessiontest.Terminal, cmd string) { t.Print(tc.sent + "\r\nsw1#") })
				if got := mustRun(t, dialShell(t, d, session.Shell{}), "x"); got != tc.want+"\n" {
					t.Fatalf("got %q, want %q", got, tc.want+"\n")
				}
			})
		})
	}
}

func TestTerminalAnswersWhereItIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var heard string
		d := raw("sw1#", func(t *sessiontest.Terminal, cmd string) {
			t.Print("\x1b[6n\x1b[c")
			for !strings.HasSuffix(heard, "c") {
				c, err := t.Key()
				if err != nil {
					return
				}
				heard += string(c)
			}
			t.Print("ok\r\nsw1#")
		})
		if got := mustRun(t, dialShell(t, d, session.Shell{}), "x"); got != "ok\n" || heard != "\x1b[24;511R\x1b[?1;0c" {
			t.Fatalf("got %q, the device heard %q", got, heard)
		}
	})
}

func TestZeroShellFollowsModes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		steps := map[string]string{"enable": "sw1#", "configure": "sw1(config)#", "vlan": "sw1(config-vlan-10)# ", "end": "sw1>"}
		d := raw("sw1>", func(t *sessiontest.Terminal, cmd string) { t.Print("done\r\n" + steps[cmd]) })
		s := dialShell(t, d, session.Shell{})
		for _, cmd := range []string{"enable", "configure", "vlan", "end"} {
			if got := mustRun(t, s, cmd); got != "done\n" || s.Info().Prompt != steps[cmd] {
				t.Fatalf("%s: got %q at %q", cmd, got, s.Info().Prompt)
			}
		}
	})
}
