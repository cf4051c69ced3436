package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/musternet/muster/internal/settings"
)

// Init writes a commented settings file and makes the data directory; it never overwrites. It returns what it made, or
// with dryRun would make.
func Init(_ context.Context, o Options, dryRun bool) ([]string, error) {
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
	dir, err := initDataDir(o)
	if err != nil {
		return nil, err
	}
	if dryRun {
		return []string{file, dir}, nil
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return nil, usage(err)
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, usage(fmt.Errorf("write settings: %w", err))
	}
	_, err = f.WriteString(initSettings(o, dir))
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, usage(fmt.Errorf("write settings: %w", err))
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return []string{file}, storeError(fmt.Errorf("make data directory: %w", err))
	}
	return []string{file, dir}, nil
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
