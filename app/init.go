package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/musternet/muster/internal/settings"
	"github.com/musternet/muster/inventory"
	"github.com/musternet/muster/secret"
)

// InitOptions say what a new settings file has beside its comments.
type InitOptions struct {
	DryRun   bool
	Username string        // a credential of this user, used on every device; empty: none
	Keep     secret.Secret // its password, to be kept in a file beside the settings; empty: it is asked for at each run
	Import   string        // a file or directory that lists devices, to be read where it is; empty: none
}

// Init writes a commented settings file and makes the data directory; it never overwrites. It returns what it made, or
// with DryRun would make.
func Init(_ context.Context, o Options, i InitOptions) ([]string, error) {
	file := o.Settings
	if file == "" {
		file = settings.UserFile(o.forSettings())
	}
	if file == "" {
		return nil, fmt.Errorf("%w: there is no home directory: name a settings file with --config", ErrUsage)
	}
	if _, err := os.Lstat(file); err == nil {
		return nil, fmt.Errorf("%w: %s is there already; look at it with: muster settings check", ErrUsage, file)
	}
	if err := CheckUser(i.Username); err != nil {
		return nil, err
	}
	source, err := initSource(i.Import)
	if err != nil {
		return nil, err
	}
	dir, err := initDataDir(o)
	if err != nil {
		return nil, err
	}
	if i.DryRun {
		return []string{file, dir}, nil
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return nil, usage(err)
	}
	made, err := initFiles(o, i, file, dir, source)
	if err != nil {
		return nil, usage(err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return made, storeError(fmt.Errorf("make data directory: %w", err))
	}
	return append(made, dir), nil
}

// initFiles writes the settings file and, where a password is to be kept, the file of that: both or neither.
func initFiles(o Options, i InitOptions, file, dir, source string) (made []string, err error) {
	text := initSettings(o, dir) + source
	if i.Username != "" {
		ref := "prompt:password of " + i.Username
		if !i.Keep.IsZero() {
			secretFile, err := filepath.Abs(filepath.Join(filepath.Dir(file), initPassword))
			if err != nil {
				return nil, err
			}
			if err := writeNew(secretFile, i.Keep.Reveal()+"\n"); err != nil {
				return nil, fmt.Errorf("keep the password: %w", err)
			}
			made, ref = append(made, secretFile), "file:"+secretFile
		}
		text += fmt.Sprintf(initCredential, i.Username, ref)
	}
	if err := writeNew(file, text); err != nil {
		for _, path := range made {
			err = errors.Join(err, os.Remove(path))
		}
		return nil, fmt.Errorf("write settings: %w", err)
	}
	return append([]string{file}, made...), nil
}

// initPassword is the file beside the settings that keeps the password of that user, if it is to be kept.
const initPassword = "scan.password"

// initCredential is what a settings file has for the user that a scan logged in as.
const initCredential = `
# Made by the scan of: muster init
credentials:
  scan:
    username: %q
    password: %q
defaults:
  credentials: [scan]
`

// initSource is what a settings file has for an inventory that is there already: where it is and what it is, and nothing out of it.
func initSource(path string) (string, error) {
	if path == "" {
		return "", nil
	}
	if strings.Contains(path, "://") {
		return "", fmt.Errorf("%w: --import takes a file or a directory; a server that is asked stands in muster.yaml with its credentials, as its comments show", ErrUsage)
	}
	if _, err := os.Stat(path); err != nil {
		return "", usage(fmt.Errorf("--import: %w", err))
	}
	kind, ok := inventory.Recognise(path)
	if !ok {
		return "", fmt.Errorf("%w: --import %s: nothing tells what kind of inventory it is; muster list sources shows those that there are", ErrUsage, path)
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", usage(err)
	}
	return fmt.Sprintf("\n# Found by: muster init --import\ninventory:\n  - type: %s\n    file: %q\n", kind, abs), nil
}

// writeNew writes a file that must not exist yet and that nobody else may read.
func writeNew(path, text string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return nil
}

// initSettings is the text of a new settings file. A data directory that was asked for stands in it, so that the next
// command uses the same.
func initSettings(o Options, dir string) string {
	if o.DataDir == "" {
		return settings.Example()
	}
	return strings.Replace(settings.Example(), exampleDataDir, fmt.Sprintf("data_dir: %q\n", dir), 1)
}

// exampleDataDir is the line of the example that names a data directory.
const exampleDataDir = "#data_dir: /var/lib/muster\n"

// initDataDir is where a new settings file's data will be.
func initDataDir(o Options) (string, error) {
	if o.DataDir != "" {
		return filepath.Abs(o.DataDir)
	}
	o.Settings = ""
	set, err := settings.Load(o.forSettings())
	if err != nil {
		return "", usage(err)
	}
	if set.DataDir == "" {
		return "", fmt.Errorf("%w: there is no home directory to keep data in: name one with --data-dir", ErrUsage)
	}
	return set.DataDir, nil
}

// SettingsSchema returns the JSON schema of the settings file.
func SettingsSchema() []byte { return settings.Schema() }
