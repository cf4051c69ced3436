package app

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/musternet/muster"
)

func TestHashesAreNeverMadeWithHalfAKey(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	devices := []muster.Device{{Name: "sw1", Secrets: muster.SecretsHash}}
	key, err := hashKey(dir, devices)
	if err != nil || len(key) != hashKeyBytes {
		t.Fatalf("got %d bytes, %v", len(key), err)
	}
	if again, err := hashKey(dir, devices); err != nil || !bytes.Equal(again, key) {
		t.Fatalf("got another key the second time, %v", err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("got %v, %v, want the key's file alone", entries, err)
	}
	for n := range hashKeyBytes {
		if err := os.WriteFile(filepath.Join(dir, "hash.key"), key[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := hashKey(dir, devices); err == nil {
			t.Fatalf("took %d bytes for a key", len(got))
		}
	}
}
