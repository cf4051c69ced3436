package settings

import (
	"path/filepath"
	"time"

	"github.com/musternet/muster/inventory"
	"github.com/musternet/muster/secret"
)

// Source is one place that devices come from: a file, a directory, or a server that is asked. Which keys go with which type
// is package inventory's to say.
type Source struct {
	Type      string            `yaml:"type" doc:"ansible, cloginrc, csv, ise, json, list, netbox, nornir, oxidized, rancid, ssh_config or yaml; absent: found out by name and content"`
	File      string            `yaml:"file" doc:"its path; a relative one begins where muster.yaml is; of ansible, cloginrc and nornir it may be a directory"`
	Delimiter string            `yaml:"delimiter" doc:"what parts the columns of csv and oxidized; absent: found out, and a colon"`
	Columns   map[string]int    `yaml:"columns" doc:"the number of each column of oxidized, from 0"`
	Platforms map[string]string `yaml:"platforms" doc:"what its own names of platforms are called here: their name, and one that muster knows"`

	URL      string              `yaml:"url" doc:"where netbox, ise or json are asked; without user and password; ise without one is the server of the section ise"`
	Username string              `yaml:"username" doc:"who asks ise"`
	Password []Ref               `yaml:"password" doc:"reference to the password for ise, or several"`
	Token    []Ref               `yaml:"token" doc:"reference to the API token of netbox, of version 1 or 2, or several"`
	Headers  map[string][]Ref    `yaml:"headers" doc:"headers of each request to netbox or json, the value by reference"`
	CAFile   string              `yaml:"ca_file" doc:"the authorities of its certificate, in PEM; absent: the system's"`
	Pin      string              `yaml:"pin" doc:"the SHA-256 of the public key of ise, sha256/ and base64; alone it takes the place of authorities"`
	Insecure bool                `yaml:"insecure" doc:"take any certificate; each reading warns of it"`
	MaxAge   Span                `yaml:"max_age" doc:"use what netbox, ise or json gave last, without asking, while it is younger than this; absent: they are asked by each command"`
	Filter   map[string][]string `yaml:"filter" doc:"which devices netbox or ise are asked for; netbox: as in its API, without status those that are active; ise: a field, or field.OPERATOR"`
	Map      inventory.Mapping   `yaml:"map" doc:"json: what the fields are called there, by dotted paths, | between several, or texts with paths in braces; netbox: what is to be had from elsewhere than usual"`
}

// spec returns the source as package inventory reads it.
func (s *Settings) spec(src Source) inventory.Spec {
	return s.WithISE(inventory.Spec{
		Type: src.Type, File: s.path(src.File), Delimiter: src.Delimiter, Columns: src.Columns, Platforms: src.Platforms,
		URL: src.URL, Username: src.Username, Password: refs(src.Password), Token: refs(src.Token), Headers: headers(src.Headers),
		CAFile: s.path(src.CAFile), Pin: src.Pin, Insecure: src.Insecure, MaxAge: time.Duration(src.MaxAge), Filter: src.Filter, Map: src.Map,
	})
}

// WithISE completes a source of the type ise that says neither where nor who: it is the ISE of the section ise. One that names a server
// of its own gets no password of another.
func (s *Settings) WithISE(spec inventory.Spec) inventory.Spec {
	if spec.Type != "ise" || spec.URL != "" || spec.Username != "" || len(spec.Password) > 0 || len(s.ISE.URL) == 0 {
		return spec
	}
	spec.URL, spec.Standby = s.ISE.URL[0], s.ISE.URL[1:]
	spec.Username, spec.Password = s.ISE.Username, refs(s.ISE.Password)
	if len(spec.Password) == 0 && spec.Username != "" {
		spec.Password = []secret.Ref{secret.Ref("prompt:password of " + spec.Username + " at ISE")}
	}
	if spec.CAFile == "" && spec.Pin == "" && !spec.Insecure {
		spec.CAFile, spec.Pin = s.ISE.CAFile, s.ISE.Pin
	}
	return spec
}

func headers(of map[string][]Ref) map[string][]secret.Ref {
	all := make(map[string][]secret.Ref, len(of))
	for name, some := range of {
		all[name] = refs(some)
	}
	return all
}

// refs leaves out what an empty value in the file makes.
func refs(of []Ref) []secret.Ref {
	var all []secret.Ref
	for _, ref := range of {
		if ref != "" {
			all = append(all, secret.Ref(ref))
		}
	}
	return all
}

// checkSources finds keys that do not go with a type, and values that cannot be.
func (s *Settings) checkSources() Problems {
	var p Problems
	env := s.env(nil)
	for i, src := range s.Inventory {
		n := s.root.Get("inventory").Items()[i]
		if src.Type == "ise" && src.URL == "" && (s.options.getenv("MUSTER_ISE_URL") != "" || s.options.getenv("MUSTER_ISE_USERNAME") != "") {
			continue // the environment completes it, which is read after the file
		}
		for _, wrong := range s.spec(src).Problems() {
			at := n
			if wrong.Key != "" && n.Get(wrong.Key).Present() {
				at = n.Get(wrong.Key)
			}
			p = append(p, at.Problem("%v", wrong.Err))
		}
		for theirs, ours := range src.Platforms {
			if _, err := env.CheckSettings(inventory.Settings{Platform: ours}); err != nil {
				p = append(p, n.Get("platforms").Get(theirs).Problem("%v", err))
			}
		}
	}
	return p
}

// Specs returns the sources of devices: those of inventory, the devices of muster.yaml, those of devices.yaml.
func (s *Settings) Specs() []inventory.Spec {
	var specs []inventory.Spec
	for _, src := range s.Inventory {
		specs = append(specs, s.spec(src))
	}
	return append(specs, s.inline()...)
}

// KeepDir returns where the last good answers of sources that are asked are kept below a data directory.
func KeepDir(dataDir string) string {
	if dataDir == "" {
		return ""
	}
	return filepath.Join(dataDir, "inventory")
}
