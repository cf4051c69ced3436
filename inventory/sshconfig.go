package inventory

import (
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/kevinburke/ssh_config"
)

// sshConfig is what ~/.ssh/config and its includes say, as pieces in their order. The file is cut into its Host and Match
// blocks first and each is parsed for itself: one that the parser does not know (Match exec) must not spoil the others,
// and an Include inside of a block holds only for the hosts of that block.
type sshConfig struct {
	pieces []sshPiece
	notes  []*RowError
	bad    []*RowError
}

// sshPiece is one block of one file.
type sshPiece struct {
	under []*ssh_config.Config // conditions of the blocks that included this one's file
	block *ssh_config.Config
	names []string // patterns of its Host line as they stand there; nil for others
	file  string
	line  int
}

// maxInclude bounds how deep includes nest, as ssh does, and maxIncluded how many files there may be.
const (
	maxInclude  = 16
	maxIncluded = 1_000
)

var sshKeyword = regexp.MustCompile(`^[ \t]*([A-Za-z]+)(?:[ \t]*=[ \t]*|[ \t]+)(.*?)[ \t]*$`)

// sshReader reads files into an sshConfig.
type sshReader struct {
	env   *Env
	out   *sshConfig
	files int
}

// sshConfig reads the files that ssh would read. One that is not there is empty.
func (e *Env) sshConfig() (*sshConfig, error) {
	files := e.SSHConfigs
	if files == nil {
		files = []string{filepath.Join(e.home(), ".ssh", "config"), "/etc/ssh/ssh_config"}
	}
	rd := &sshReader{env: e, out: &sshConfig{}}
	for _, file := range files {
		data, err := readRegular(file)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("ssh settings: %w", err)
		}
		rd.parse(file, data, nil, 0)
	}
	return rd.out, nil
}

// parse cuts a text into blocks.
func (rd *sshReader) parse(file string, data []byte, under []*ssh_config.Config, depth int) {
	b := sshBlock{head: "Host *", headLine: 1}
	for n, line := range lines(data) {
		key, value := "", ""
		if m := sshKeyword.FindStringSubmatch(line); m != nil {
			key, value = strings.ToLower(m[1]), m[2]
		}
		switch key {
		case "host", "match":
			rd.flush(file, b, under)
			b = rd.head(file, n, key, value)
		case "include":
			rd.flush(file, b, under)
			rd.include(file, n, value, b, under, depth)
			b.body, b.names = nil, nil
		default:
			b.body = append(b.body, line)
		}
	}
	rd.flush(file, b, under)
}

// sshBlock is a block on its way.
type sshBlock struct {
	head     string
	headLine int
	names    []string
	body     []string
	skip     bool
}

// head begins a block. Match knows "all" and "host" here; a block with any other condition is left out with a note, for
// its condition may be a command.
func (rd *sshReader) head(file string, n int, key, value string) sshBlock {
	value, _, _ = strings.Cut(value, " #")
	b := sshBlock{headLine: n, head: "Host " + strings.ReplaceAll(value, `"`, "")}
	words := strings.Fields(strings.ReplaceAll(value, `"`, ""))
	if key == "host" {
		b.names = words
		return b
	}
	switch {
	case len(words) == 1 && strings.EqualFold(words[0], "all"):
		b.head = "Host *"
	case len(words) == 2 && (strings.EqualFold(words[0], "host") || strings.EqualFold(words[0], "originalhost")):
		b.head = "Host " + strings.ReplaceAll(words[1], ",", " ")
	default:
		b.skip = true
		rd.out.notes = append(rd.out.notes, &RowError{file, n, 1, errors.New("this Match block is left out: only Match host and Match all are understood")})
	}
	return b
}

// flush parses a block that is complete.
func (rd *sshReader) flush(file string, b sshBlock, under []*ssh_config.Config) {
	if b.skip || len(b.body) == 0 && b.names == nil {
		return
	}
	cfg, err := decodeSSH(b.head + "\n" + strings.Join(b.body, "\n") + "\n")
	if err != nil {
		rd.out.bad = append(rd.out.bad, &RowError{file, b.headLine, 1, errors.New("this block cannot be read: each line is a keyword and its value")})
		return
	}
	rd.out.pieces = append(rd.out.pieces, sshPiece{under, cfg, b.names, file, b.headLine})
}

// decodeSSH parses one block.
func decodeSSH(text string) (cfg *ssh_config.Config, err error) {
	defer func() { // the parser panics on texts it does not expect, and hands some of these panics on
		if recover() != nil {
			err = errors.New("the block cannot be read")
		}
	}()
	return ssh_config.DecodeBytes([]byte(text))
}

// include reads the files of an Include line, for the hosts of the block it stands in.
func (rd *sshReader) include(file string, n int, value string, b sshBlock, under []*ssh_config.Config, depth int) {
	if b.skip {
		return
	}
	if depth++; depth > maxInclude {
		rd.out.bad = append(rd.out.bad, &RowError{file, n, 1, errors.New("includes are nested too deep")})
		return
	}
	if cond, err := decodeSSH(b.head + "\n"); err == nil && b.head != "Host *" {
		under = append(slices.Clone(under), cond)
	}
	for _, pattern := range strings.Fields(value) {
		pattern = rd.env.expand(strings.Trim(pattern, `"`))
		if !filepath.IsAbs(pattern) {
			dir := filepath.Join(rd.env.home(), ".ssh")
			if strings.HasPrefix(file, "/etc/ssh/") {
				dir = "/etc/ssh"
			}
			pattern = filepath.Join(dir, pattern)
		}
		matches, _ := filepath.Glob(pattern)
		for _, m := range matches {
			if rd.files++; rd.files > maxIncluded {
				return
			}
			data, err := readRegular(m)
			if err != nil {
				rd.out.bad = append(rd.out.bad, &RowError{file, n, 1, fmt.Errorf("include: %w", err)})
				continue
			}
			rd.parse(m, data, under, depth)
		}
	}
}

// readRegular reads a file and nothing else: a pipe or a device has no end.
func readRegular(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxFile {
		return nil, &fs.PathError{Op: "read", Path: path, Err: errors.New("it is not a file of usual size")}
	}
	return os.ReadFile(path)
}

// all yields the values of a keyword for a host, the one that counts first.
func (c *sshConfig) all(host, key string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, p := range c.pieces {
			if slices.ContainsFunc(p.under, func(u *ssh_config.Config) bool { return !matches(u, host) }) {
				continue
			}
			values, _ := p.block.GetAll(host, key)
			for _, v := range values {
				if !yield(strings.Trim(v, `"`)) {
					return
				}
			}
		}
	}
}

func (c *sshConfig) get(host, key string) string {
	for v := range c.all(host, key) {
		if v != "" {
			return v
		}
	}
	return ""
}

func matches(c *ssh_config.Config, host string) bool {
	return slices.ContainsFunc(c.Hosts[1:], func(h *ssh_config.Host) bool { return h.Matches(host) })
}

// entry returns what the settings say about a host that ssh would be called with.
func (c *sshConfig) entry(e *Env, alias string) (Row, error) {
	row := Row{Name: alias, Address: alias}
	if v := c.get(alias, "HostName"); v != "" {
		row.Address = strings.NewReplacer("%%", "%", "%h", alias).Replace(v)
	}
	row.Username = c.get(alias, "User")
	if v := c.get(alias, "Port"); v != "" {
		port, err := parsePort(v)
		if err != nil {
			return row, err
		}
		row.Port = port
	}
	if v := c.get(alias, "ProxyJump"); v != "" && !strings.EqualFold(v, "none") {
		row.Jump = []string{v}
	}
	row.noAgent = strings.EqualFold(c.get(alias, "IdentityAgent"), "none")
	for v := range c.all(alias, "IdentityFile") {
		path := e.sshPath(v, row)
		if _, err := os.Stat(path); err == nil { // one that is not there is none, for ssh too
			row.keys = append(row.keys, path)
		}
	}
	return row, nil
}

// sshPath expands ~ and the tokens of IdentityFile.
func (e *Env) sshPath(path string, row Row) string {
	path = strings.NewReplacer("%%", "%", "%d", e.home(), "%h", row.Address, "%n", row.Name, "%r", row.Username, "%u", os.Getenv("USER")).Replace(path)
	return e.expand(path)
}
