package inventory

import (
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/musternet/muster/internal/settings/strict"
)

// openDetected finds out what a file is when it is read, for standard input has no name and is read once.
func openDetected(spec Spec, env *Env) (Source, error) {
	if spec.URL != "" {
		u, err := parseURL(spec.URL)
		if err != nil {
			return nil, err
		}
		if spec.Type = detectURL(u); spec.Type == "" {
			return nil, fmt.Errorf("%s: the URL does not tell what is there: say the type, such as netbox:%s", shown(u), shown(u))
		}
		return sources[spec.Type].open(spec, env)
	}
	open := func(kind string, r *rows) (*fileSource, error) {
		spec.Type = kind
		src, err := sources[kind].open(spec, env)
		if err != nil {
			return nil, err
		}
		found := src.(*fileSource)
		r.spec = found.spec
		return found, nil
	}
	return &fileSource{spec: spec, env: env, parse: func(r *rows, data []byte) error {
		found, err := open(detect(env.expand(spec.File), string(data)), r)
		if err != nil {
			return err
		}
		return found.parse(r, data)
	}, dir: func(r *rows, dir string) error {
		kind := detectDir(env.expand(dir))
		if kind == "" {
			return fmt.Errorf("inventory: %s is a directory in which there is no inventory", dir)
		}
		found, err := open(kind, r)
		if err != nil {
			return err
		}
		return found.dir(r, dir)
	}}, nil
}

// Recognise says what kind of source a file, a directory or a URL is, as Open would find out without a type. It is not ok
// where nothing speaks for any of them, and where the file cannot be read. A URL is looked at and not asked.
func Recognise(path string) (kind string, ok bool) {
	if strings.HasPrefix(path, "http://") || strings.HasPrefix(path, "https://") {
		u, err := parseURL(path)
		if err != nil {
			return "", false
		}
		kind = detectURL(u)
		return kind, kind != ""
	}
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return "", false
	case info.IsDir():
		kind = detectDir(path)
		return kind, kind != ""
	case !info.Mode().IsRegular():
		return "", false
	}
	f, err := os.Open(path)
	if err != nil {
		return "", false
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxSniff))
	if err != nil || checkText(path, data) != nil {
		return "", false
	}
	text := strings.TrimPrefix(string(data), "\ufeff")
	if int64(len(data)) < info.Size() { // a line that is cut off could be anything
		text = text[:strings.LastIndexByte(text, '\n')+1]
	}
	switch kind = detect(path, text); kind {
	case "list":
		return kind, looksList(text)
	case "csv": // prose has commas too
		line, _ := firstLine(text)
		ext := strings.ToLower(filepath.Ext(path))
		return kind, ext == ".csv" || ext == ".tsv" || hasColumns(line)
	}
	return kind, true
}

// maxSniff is as much of a file as is looked at to tell what it is.
const maxSniff = 256 << 10

// detectURL says what a URL tells of what is there; empty: nothing.
func detectURL(u *url.URL) string {
	switch {
	case strings.Contains(u.Path, "/api/dcim"):
		return "netbox"
	case strings.HasPrefix(u.Path, "/ers"), u.Port() == "9060":
		return "ise"
	case strings.HasSuffix(strings.TrimSuffix(u.Path, "/"), "/api/v0/oxidized"), strings.HasSuffix(u.Path, ".json"):
		return "json"
	case strings.Contains(strings.ToLower(u.Hostname()), "netbox"):
		return "netbox"
	}
	return ""
}

// maxLook is in how many files of a directory an inventory is looked for: where there are thousands, they are something else.
const maxLook = 64

// detectDir says which kind of source a directory is; empty: none.
func detectDir(dir string) string {
	has := func(pattern string) bool {
		matches, _ := filepath.Glob(filepath.Join(dir, pattern))
		return len(matches) > 0
	}
	switch {
	case hasVars(dir):
		return "ansible"
	case has(".cloginrc") && len(routerTables(filepath.Join(dir, "x"))) > 0:
		return "cloginrc"
	}
	if kind, ok := Recognise(filepath.Join(dir, "router.db")); ok && (kind == "oxidized" || kind == "rancid") {
		return kind
	}
	if path := nornirHosts(dir); path != "" {
		if kind, ok := Recognise(path); ok && (kind == "nornir" || kind == "ansible" && filepath.Dir(path) == filepath.Clean(dir)) {
			return kind
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return ""
	}
	looked, found := 0, 0
	for _, e := range entries {
		if !e.Type().IsRegular() || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		if looked++; looked > maxLook {
			return ""
		}
		if kind, ok := Recognise(filepath.Join(dir, e.Name())); ok && kind == "ansible" {
			found++
		}
	}
	if 2*found > looked { // one file among many may only look like it
		return "ansible"
	}
	return ""
}

var (
	sshHost     = regexp.MustCompile(`(?im)^[ \t]*(Host|Match)[ \t=]+\S`)
	rancidRe    = regexp.MustCompile(`(?im)^[^;:#\s]+([;:])[^;:\s]*([;:])(up|down)\b`)
	cloginLines = regexp.MustCompile(`(?m)^\s*add\s+(user|password|userpassword|method|autoenable|noenable)\s+\S+\s+\S`)
	jsonStart   = regexp.MustCompile(`^[\[{]\s*[{\["]`)
	yamlStart   = regexp.MustCompile(`^(---|-[ \t\r\n]|(devices|groups|defaults)[ \t]*:[ \t]*([\r\n{\[]|$))`)
)

// detect says which kind of source a file is: by its extension where that is plain, else by its content.
func detect(file, text string) string {
	base := strings.ToLower(filepath.Base(file))
	switch filepath.Ext(base) {
	case ".csv", ".tsv":
		return "csv"
	case ".yaml", ".yml":
		return yamlShape(text)
	}
	line, all := firstLine(text)
	switch {
	case base == ".cloginrc", cloginLines.MatchString(text):
		return "cloginrc"
	case looksAnsible(base, text):
		return "ansible"
	case jsonStart.MatchString(all):
		return "json"
	case base == "ssh_config", base == "config" && filepath.Base(filepath.Dir(file)) == ".ssh":
		return "ssh_config"
	case yamlStart.MatchString(all):
		return yamlShape(text)
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
	case file != "-" && hasVars(filepath.Dir(file)):
		return "ansible" // of hosts alone: what is said of them stands there
	}
	return "list"
}

// hasVars says that there are variables of Ansible's in a directory.
func hasVars(dir string) bool {
	return isDir(filepath.Join(dir, "group_vars")) || isDir(filepath.Join(dir, "host_vars"))
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// ansibleWords are what a group of an Ansible inventory holds, nornirWords what is said of a host of Nornir.
var (
	ansibleWords = []string{"hosts", "children", "vars"}
	nornirWords  = []string{"hostname", "port", "username", "password", "platform", "groups", "data", "connection_options"}
)

// yamlShape says which kind of source a YAML file is by the keys of its first entries.
func yamlShape(text string) string {
	doc, problem := strict.Parse("", []byte(text))
	if problem != nil || !doc.IsMap() {
		return "yaml"
	}
	if doc.Get("_meta").Present() {
		return "ansible"
	}
	for key, value := range doc.Pairs() {
		name, _ := key.Text()
		if name == "devices" || name == "defaults" || name == "groups" {
			return "yaml"
		}
		for key, of := range value.Pairs() {
			word, _ := key.Text()
			switch {
			case slices.Contains(ansibleWords, word) && !of.IsList():
				return "ansible"
			case slices.Contains(nornirWords, word):
				return "nornir"
			}
		}
		if name == "plugin" || name == "all" {
			return "ansible"
		}
	}
	return "yaml"
}

// looksList says that there are lines and all of them are names, addresses or prefixes.
func looksList(text string) bool {
	n := 0
	for _, line := range lines([]byte(text)) {
		word, _, _ := strings.Cut(line, "#")
		if word = strings.TrimSpace(word); word == "" {
			continue
		}
		if _, err := parseTarget(withoutMask(word)); err != nil {
			return false
		}
		n++
	}
	return n > 0
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

// looksCSV says that a line is a header, or the first row of a table that has none, which is told what it lacks.
func looksCSV(line string) bool {
	return hasColumns(line) || len(csvFields(line)) > 1 && strings.ContainsAny(line, ",\t")
}

// csvFields are the columns of a header, whatever parts them.
func csvFields(line string) []string {
	return strings.FieldsFunc(line, func(r rune) bool { return strings.ContainsRune(",;\t", r) })
}

// hasColumns says that a line is a header: with several columns one of ours is enough, or one column of ours alone.
func hasColumns(line string) bool {
	if strings.HasPrefix(line, "sep=") {
		return true
	}
	fields := csvFields(line)
	for _, f := range fields {
		f = strings.ToLower(strings.Trim(strings.TrimSpace(f), `"`))
		if f == "name" || f == "address" || len(fields) > 1 && slices.Contains(csvColumns, f) {
			return true
		}
	}
	return false
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
