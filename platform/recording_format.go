package platform

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Format writes the recording in its txtar form.
func (r *Recording) Format() []byte {
	var w recordingWriter
	w.header("platform", r.Platform)
	w.header("hardware", r.Hardware)
	w.header("version", r.Version)
	w.header("origin", r.Origin)
	w.header("host", r.Host)
	if r.Exec {
		w.header("exec", "yes")
	}
	w.header("prompt", r.Prompt)
	if r.Pager != nil {
		w.header("pager", r.Pager.Prompt)
		w.header("pager-erase", r.Pager.Erase)
		w.header("pager-lines", strconv.Itoa(r.Pager.Lines))
		w.header("pager-off", r.Pager.Off)
	}
	w.optional("banner", r.Banner)
	w.optional("motd", r.Motd)
	for _, s := range r.Steps {
		w.step(s)
	}
	w.want(r.Want)
	return w.Bytes()
}

type recordingWriter struct{ bytes.Buffer }

func (w *recordingWriter) header(key, text string) {
	if text != "" {
		fmt.Fprintf(w, "%s: %s\n", key, quoted(text))
	}
}

func (w *recordingWriter) optional(name, text string) {
	if text != "" {
		w.block(name, text)
	}
}

func (w *recordingWriter) step(s Step) {
	w.block("> "+quotedCommand(s.Send), s.Output)
	if s.Ask != "" {
		w.block("ask "+quoted(s.Ask), "")
	}
	w.optional("stderr", s.Stderr)
	if s.Exit != 0 {
		w.block("exit "+strconv.Itoa(s.Exit), "")
	}
	if s.Prompt != "" {
		w.block("prompt "+quoted(s.Prompt), "")
	}
	if s.Closes {
		w.block("closes", "")
	}
}

func (w *recordingWriter) want(want Want) {
	facts := ""
	for _, f := range [][2]string{{"hostname", want.Hostname}, {"model", want.Model}, {"version", want.Version}, {"serial", want.Serial}} {
		if f[1] != "" {
			facts += f[0] + ": " + quoted(f[1]) + "\n"
		}
	}
	w.optional("want facts", facts)
	w.list("want match", want.Match)
	w.list("want nomatch", want.NoMatch)
	w.list("want unchanged", want.Unchanged)
	w.list("want secrets", want.Secrets)
	w.optional("want config", want.Config)
	w.optional("want masked", want.Masked)
}

func (w *recordingWriter) list(name string, lines []string) {
	if len(lines) > 0 {
		w.block(name, strings.Join(lines, "\n")+"\n")
	}
}

func (w *recordingWriter) block(name, text string) {
	fmt.Fprintf(w, "-- %s --\n", name)
	if text == "" {
		return
	}
	for line := range strings.SplitSeq(strings.TrimSuffix(text, "\n"), "\n") {
		if needsQuotes(line) {
			line = `\` + strconv.Quote(line)
		}
		w.WriteString(line + "\n")
	}
	if !strings.HasSuffix(text, "\n") {
		w.WriteString("\\\n")
	}
}

// needsQuotes reports whether a text file, or an editor, would not keep the line as it is.
func needsQuotes(line string) bool {
	if _, ok := marker(line); ok || strings.HasPrefix(line, `\`) || strings.TrimRight(line, " \t") != line || !utf8.ValidString(line) {
		return true
	}
	return strings.ContainsFunc(line, func(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f || c == 0xfeff })
}

// quoted returns a value as it stands behind its key.
func quoted(text string) string {
	if needsQuotes(text) || strings.TrimSpace(text) != text || strings.HasPrefix(text, `"`) {
		return strconv.Quote(text)
	}
	return text
}

// quotedCommand is quoted for a command, which may be empty: a bare Enter.
func quotedCommand(text string) string {
	if text == "" {
		return `""`
	}
	return quoted(text)
}
