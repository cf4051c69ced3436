package platform

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/musternet/muster/session"
)

// probeTime bounds one question: a device that does not know it says so at once.
const probeTime = 15 * time.Second

// Detect logs in, looks at banner, prompt and the answers to a few harmless commands, and says which platform it is;
// *session.Error with code platform-unknown where none fits.
func Detect(ctx context.Context, addr string, c session.Config, o Options) (*Def, error) {
	if c.Mask == nil {
		c.Mask = MaskAny
	}
	c.Shell = &session.Shell{}
	var found *Def
	look := func(ctx context.Context, s *session.Session) (err error) {
		found, err = newDetective(s).find(ctx)
		return err
	}
	err := session.With(ctx, addr, c, look)
	if noShell(err) && c.Transport != "telnet" {
		c.Shell = nil
		err = session.With(ctx, addr, c, look)
	}
	return found, err
}

// noShell reports whether the login went well and only the shell did not.
func noShell(err error) bool {
	var e *session.Error
	return errors.As(err, &e) && e.Stage == "prompt" && slices.Contains([]string{"login-refused", "no-prompt", "connection-lost"}, e.Code)
}

// detective asks one device what it is.
type detective struct {
	session *session.Session
	info    session.Info
	said    string            // what the device showed unasked, a line each
	answers map[string]string // by command
}

func newDetective(s *session.Session) *detective {
	i := s.Info()
	return &detective{
		session: s, info: i, answers: map[string]string{},
		said: i.ServerVersion + "\n" + i.Banner + "\n" + i.Motd + "\n" + i.Prompt,
	}
}

// find asks as little as it can: nothing where what the device shows of itself is proof, else the probes of the
// platforms that fit it best.
func (d *detective) find(ctx context.Context) (*Def, error) {
	defs := byHints(d)
	for _, def := range defs {
		if found(def.file.Detect.Sure, d.said) {
			return def, nil
		}
	}
	for _, def := range defs {
		fits, err := d.fits(ctx, def, "")
		if err != nil {
			return nil, err
		}
		if fits {
			return d.refine(ctx, def, defs)
		}
	}
	return nil, &session.Error{
		Stage: "prompt", Code: "platform-unknown", Transcript: d.session.Transcript(),
		Err: fmt.Errorf("no platform fits what the device shows; server %q, prompt %q", d.info.ServerVersion, d.info.Prompt),
	}
}

// byHints returns the definitions that can be told from others, those first that fit what the device shows.
func byHints(d *detective) []*Def {
	var defs []*Def
	score := map[*Def]int{}
	for _, name := range names() {
		def := definitions()[name]()
		h := def.file.Detect
		for hint, text := range map[string]string{h.Server: d.info.ServerVersion, h.Login: d.info.Banner + "\n" + d.info.Motd, h.Prompt: d.info.Prompt} {
			if found(hint, text) {
				score[def]++
			}
		}
		defs = append(defs, def)
	}
	slices.SortStableFunc(defs, func(a, b *Def) int { return cmp.Compare(score[b], score[a]) })
	return defs
}

func found(pattern, text string) bool {
	return pattern != "" && regexp.MustCompile(pattern).MatchString(text)
}

// fits asks the probes of a platform, those for after base was found. Each command is asked once, for all platforms
// that look at its answer.
func (d *detective) fits(ctx context.Context, def *Def, base string) (bool, error) {
	for _, p := range def.file.Detect.Probes {
		if p.After != base {
			continue
		}
		answer, err := d.ask(ctx, p.Command)
		if err != nil {
			return false, err
		}
		if found(p.Match, answer) {
			return true, nil
		}
	}
	return false, nil
}

func (d *detective) ask(ctx context.Context, cmd string) (string, error) {
	if answer, asked := d.answers[cmd]; asked {
		return answer, nil
	}
	out, err := d.session.Do(ctx, session.Command{Text: cmd, Timeout: probeTime, MaxBytes: 1 << 20})
	var e *session.Error
	if err != nil && !(errors.As(err, &e) && e.Code == "command-rejected") {
		return "", err
	}
	d.answers[cmd] = out.Text + "\n" + out.Stderr
	return d.answers[cmd], nil
}

// refine looks whether a platform is a special case of the one that was found.
func (d *detective) refine(ctx context.Context, base *Def, defs []*Def) (*Def, error) {
	for _, def := range defs {
		fits, err := d.fits(ctx, def, base.Name)
		if err != nil {
			return nil, err
		}
		if fits {
			return def, nil
		}
	}
	return base, nil
}
