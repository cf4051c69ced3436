package app

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/musternet/muster/internal/settings"
	"github.com/musternet/muster/ping"
)

// wantedFiles is how many files one process should be allowed to have open: two for each of 1,000 sessions and some.
const wantedFiles = 4096

// Doctor looks at this machine: git, descriptors, data directory, clock, keys, settings.
func (a *App) Doctor(ctx context.Context) []Finding {
	return []Finding{
		findGit(ctx), findDescriptors(), a.findDataDir(ctx), a.findClock(ctx), a.findAgent(), a.findInventory(), findPing(ctx),
	}
}

func findGit(ctx context.Context) Finding {
	f := Finding{What: "git"}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	git := exec.CommandContext(ctx, "git", "--version")
	git.Env = []string{"PATH=" + os.Getenv("PATH")} // and nothing of ours, which may be secret
	out, err := git.Output()
	if err != nil {
		f.Text, f.Try = "git does not run: the history cannot be kept without it", "install git and put it on PATH"
		return f
	}
	f.OK, f.Text = true, strings.TrimSpace(string(out))
	return f
}

func findDescriptors() Finding {
	f := Finding{What: "descriptors"}
	n, ok := openFiles()
	if !ok {
		f.OK, f.Text = true, "this system does not say how many files may be open"
		return f
	}
	f.OK, f.Text = n >= wantedFiles, fmt.Sprintf("%d files may be open at once", n)
	if !f.OK {
		f.Try = fmt.Sprintf("allow more for large fleets: ulimit -n %d", wantedFiles)
	}
	return f
}

// findDataDir looks at who may read the data directory and whether a writer holds it.
func (a *App) findDataDir(ctx context.Context) Finding {
	f := Finding{What: "data directory"}
	info, err := os.Stat(a.dir)
	switch {
	case errors.Is(err, os.ErrNotExist):
		f.OK, f.Text = true, a.dir+" will be made by the first backup"
		return f
	case err != nil:
		f.Text, f.Try = err.Error(), "name another with --data-dir"
		return f
	case !info.IsDir():
		f.Text, f.Try = a.dir+" is no directory", "name another with --data-dir"
		return f
	case othersMayRead(info):
		f.Text = fmt.Sprintf("others may read %s (mode %v)", a.dir, info.Mode().Perm())
		f.Try = "chmod 700 " + a.dir
		return f
	}
	if _, err := a.reader(ctx); err != nil && !errors.Is(err, errNoData) {
		f.Text, f.Try = err.Error(), "see what the message names"
		return f
	}
	probe, err := os.CreateTemp(a.dir, ".doctor-*")
	if err != nil {
		f.Text, f.Try = "it cannot be written: "+err.Error(), "make room, or give it to the user who runs muster"
		return f
	}
	_ = errors.Join(probe.Close(), os.Remove(probe.Name()))
	f.OK, f.Text = true, a.dir
	return f
}

// findClock compares the clock with the newest thing stored: a clock that was set back makes ages wrong.
func (a *App) findClock(ctx context.Context) Finding {
	f := Finding{What: "clock", OK: true, Text: time.Now().UTC().Format(time.RFC3339)}
	s, err := a.reader(ctx)
	if err != nil {
		return f
	}
	runs, err := s.index.Runs(ctx, 1)
	if err != nil || len(runs) == 0 {
		return f
	}
	if ahead := time.Until(runs[0].Started); ahead > time.Minute {
		f.OK = false
		f.Text += fmt.Sprintf(", but the last run began %s after that", ahead.Round(time.Second))
		f.Try = "set the clock of this machine"
	}
	return f
}

func (a *App) findAgent() Finding {
	f := Finding{What: "ssh agent", OK: true, Text: "none (SSH_AUTH_SOCK is not set): passwords and key files only"}
	if sock := os.Getenv("SSH_AUTH_SOCK"); sock != "" {
		f.Text = sock
		if _, err := os.Stat(sock); err != nil {
			f.OK, f.Text, f.Try = false, "SSH_AUTH_SOCK names a socket that is not there", "start the agent anew, or unset SSH_AUTH_SOCK"
		}
	}
	return f
}

func (a *App) findInventory() Finding {
	f := Finding{What: "inventory", OK: len(a.inv.Bad) == 0}
	f.Text = fmt.Sprintf("%d devices", len(a.inv.Devices))
	if a.settings.File != "" {
		f.Text += " by " + a.settings.File
	}
	if !f.OK {
		f.Text += fmt.Sprintf(", %d rows are wrong; the first: %v", len(a.inv.Bad), a.inv.Bad[0])
		f.Try = "see all of them with: muster settings check"
	}
	return f
}

// findPing looks how this user may ping. Nothing is sent.
func findPing(ctx context.Context) Finding {
	f := Finding{What: "ping"}
	var sum ping.Summary
	for _, err := range ping.Sweep(ctx, func(func(netip.Addr) bool) {}, ping.Config{
		Summary: &sum, Note: func(note string) { f.Text, f.Try, _ = strings.Cut(note, ". ") },
	}) {
		if err != nil && f.Text == "" {
			f.Text = err.Error()
		}
	}
	if f.Text == "" {
		f.OK, f.Text = true, map[ping.Method]string{
			ping.MethodRaw: "over a raw socket", ping.MethodSocket: "over the unprivileged socket",
		}[sum.Method]
	}
	return f
}

// CheckSettings reads the settings in use with the devices they name and returns all that is wrong.
func CheckSettings(ctx context.Context, o Options) []Finding {
	set, err := settings.Load(o.forSettings())
	if problems, ok := errors.AsType[settings.Problems](err); ok {
		var all []Finding
		for _, p := range problems {
			f := Finding{What: p.File, Text: p.Text}
			if p.Line > 0 {
				f.What = fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Col)
			}
			all = append(all, f)
		}
		return all
	}
	if err != nil {
		return []Finding{{What: "settings", Text: err.Error()}}
	}
	file := set.File
	if file == "" {
		file = "no settings file"
	}
	a, err := Open(ctx, o)
	if err != nil {
		return []Finding{{What: file, Text: err.Error()}}
	}
	defer a.Close()
	found := []Finding{{What: file, OK: true, Text: fmt.Sprintf("%d devices, data in %s", len(a.inv.Devices), a.dir)}}
	for _, wrong := range a.wrongWatching(ctx) {
		found = append(found, Finding{What: "serve", Text: strings.TrimPrefix(wrong.Error(), ErrUsage.Error()+": ")})
	}
	for _, bad := range a.inv.Bad {
		found = append(found, Finding{What: "inventory", Text: bad.Error()})
	}
	for _, note := range a.inv.Notes {
		found = append(found, Finding{What: "inventory", OK: true, Text: note.Error()})
	}
	return found
}
