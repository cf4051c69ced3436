package inventory

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// openDetected finds out what a file is when it is read, for standard input has no name and is read once.
func openDetected(spec Spec, env *Env) (Source, error) {
	return &fileSource{spec, env, func(r *rows, data []byte) error {
		spec.Type = detect(spec.File, string(data))
		src, err := sources[spec.Type].open(spec, env)
		if err != nil {
			return err
		}
		found := src.(*fileSource)
		r.spec = found.spec
		return found.parse(r, data)
	}}, nil
}

var (
	sshHost   = regexp.MustCompile(`(?im)^[ \t]*(Host|Match)[ \t=]+\S`)
	rancidRe  = regexp.MustCompile(`(?im)^[^;:#\s]+([;:])[^;:\s]*([;:])(up|down)\b`)
	jsonStart = regexp.MustCompile(`^[\[{]\s*[{\["]`)
	yamlStart = regexp.MustCompile(`^(---|-[ \t\r\n]|(devices|groups|defaults)[ \t]*:[ \t]*([\r\n{\[]|$))`)
)

// detect says which kind of source a file is: by its extension where that is plain, else by its content.
func detect(file, text string) string {
	base := strings.ToLower(filepath.Base(file))
	switch filepath.Ext(base) {
	case ".csv", ".tsv":
		return "csv"
	case ".yaml", ".yml":
		return "yaml"
	}
	line, all := firstLine(text)
	switch {
	case jsonStart.MatchString(all):
		return "json"
	case base == "ssh_config", base == "config" && filepath.Base(filepath.Dir(file)) == ".ssh":
		return "ssh_config"
	case yamlStart.MatchString(all):
		return "yaml"
	case rancidRe.MatchString(text):
		return "rancid"
	case looksCSV(line):
		return "csv"
	case base == "router.db":
		return "oxidized"
	case sshHost.MatchString(text):
		return "ssh_config"
	case looksOxidized(line):
		return "oxidized"
	}
	return "list"
}

// firstLine returns the first line that is not empty and no comment, and the text from there.
func firstLine(text string) (line, rest string) {
	for text != "" {
		line, after, _ := strings.Cut(text, "\n")
		if s := strings.TrimSpace(line); s != "" && s[0] != '#' {
			return s, strings.TrimLeft(text, " \t")
		}
		text = after
	}
	return "", ""
}

// looksCSV says that a line is a header: with several columns one of ours is enough, or one column of ours alone.
func looksCSV(line string) bool {
	if strings.HasPrefix(line, "sep=") {
		return true
	}
	fields := strings.FieldsFunc(line, func(r rune) bool { return strings.ContainsRune(",;\t", r) })
	for _, f := range fields {
		f = strings.ToLower(strings.Trim(strings.TrimSpace(f), `"`))
		if f == "name" || f == "address" || len(fields) > 1 && slices.Contains(csvColumns, f) {
			return true
		}
	}
	return len(fields) > 1 && strings.ContainsAny(line, ",\t")
}

// looksOxidized says that a line is name:model with perhaps more, and not host:port or an IPv6 address.
func looksOxidized(line string) bool {
	fields := strings.Split(line, ":")
	if len(fields) < 2 || strings.ContainsAny(line, "[]@") {
		return false
	}
	_, err := parseTarget(line)
	return err != nil
}
