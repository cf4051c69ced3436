package sqlite_test

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/musternet/muster"
	"github.com/musternet/muster/store"
	"github.com/musternet/muster/store/sqlite"
)

const keeperEnv = "MUSTER_TEST_SCAN_KEEPER"

// keepFromOutside is another process: when its input ends it opens the file and keeps five scans.
func keepFromOutside(path string) int {
	_, _ = io.Copy(io.Discard, os.Stdin)
	if err := keepFive(path); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func keepFive(path string) error {
	ctx := context.Background()
	db, err := sqlite.Open(ctx, path, sqlite.Options{})
	if err != nil {
		return err
	}
	defer db.Close()
	for i := range 5 {
		s := fullScan(3000)
		s.ID = fmt.Sprintf("%d-%d", os.Getpid(), i)
		s.Targets = s.ID
		if err := db.KeepScan(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// fullScan is a scan that found n hosts with a port and a banner each.
func fullScan(n int) store.Scan {
	s := store.Scan{ID: "1", Targets: "198.18.0.0/16", Label: "198.18.0.0/16", Ports: []int{22}, Ping: true, Up: "198.18.0.0/16",
		Started: time.Date(2026, 11, 22, 8, 3, 0, 0, time.UTC)}
	for i := range n {
		s.Hosts = append(s.Hosts, muster.Host{
			Addr: netip.AddrFrom4([4]byte{198, 18, byte(i >> 8), byte(i)}), State: muster.HostUp,
			Ports: []muster.Port{{Number: 22, State: muster.PortOpen, Banner: "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3"}},
		})
	}
	return s
}

// A scan and a backup may be the first ones to open a file, at the same moment.
func TestProcessesThatOpenAndKeepAtTheSameTimeAllSucceed(t *testing.T) {
	t.Parallel()
	for name, version := range map[string]int64{"a file that is not there yet": 0, "an older muster's file": 1} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "muster.db")
			if version > 0 {
				makeOld(t, path, version)
			}
			const processes = 4
			ready, start, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer ready.Close()
			var keepers []*exec.Cmd
			for range processes {
				cmd := exec.Command(os.Args[0], "-test.run=^$")
				cmd.Env = append(os.Environ(), keeperEnv+"="+path)
				cmd.Stdin, cmd.Stderr = ready, new(strings.Builder)
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				keepers = append(keepers, cmd)
			}
			start.Close()
			for _, cmd := range keepers {
				if err := cmd.Wait(); err != nil {
					t.Errorf("a process ended with %v: %s", err, cmd.Stderr)
				}
			}
			db := open(t, path, sqlite.Options{ReadOnly: true})
			if scans, err := db.Scans(t.Context(), 0); err != nil || len(scans) != 5*processes {
				t.Errorf("got %d scans, %v, want %d", len(scans), err, 5*processes)
			}
		})
	}
}

func TestScansAreKeptBesideTheHolderOfTheDirectorysLock(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "muster.db")
	lock, err := store.LockDir(t.Context(), dir, "muster backup")
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Unlock()
	backup, scan := open(t, path, sqlite.Options{}), open(t, path, sqlite.Options{})
	job := muster.Job{Run: "run1", Kind: "backup", Started: time.Now()}
	if err := backup.StartRun(t.Context(), job, 1); err != nil {
		t.Fatal(err)
	}
	if err := scan.KeepScan(t.Context(), fullScan(10)); err != nil {
		t.Fatal(err)
	}
	if err := backup.FinishRun(t.Context(), "run1", time.Now()); err != nil {
		t.Fatal(err)
	}
	if s, err := backup.LastScan(t.Context(), "198.18.0.0/16"); err != nil || len(s.Hosts) != 10 {
		t.Errorf("got %d hosts, %v", len(s.Hosts), err)
	}
}

func TestHostsOfDroppedScansGo(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "muster.db")
	db := open(t, path, sqlite.Options{})
	for i := range 12 {
		s := fullScan(1100)
		s.ID, s.Started = fmt.Sprint(i), s.Started.Add(time.Duration(i)*time.Minute)
		if err := db.KeepScan(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	raw, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	var scans, rows, hosts int
	const count = `SELECT count(DISTINCT scan), count(DISTINCT scan_hosts.rowid), count(*) FROM scan_hosts, json_each(hosts)`
	if err := raw.QueryRow(count).Scan(&scans, &rows, &hosts); err != nil || scans != 10 || rows != 20 || hosts != 11000 {
		t.Errorf("got %d scans in %d rows of %d hosts, %v, want 10 in 20 of 11,000", scans, rows, hosts, err)
	}
}

func TestDamagedRowsAreAnErrorAndNoScan(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "muster.db")
	db := open(t, path, sqlite.Options{})
	if err := db.KeepScan(t.Context(), fullScan(1)); err != nil {
		t.Fatal(err)
	}
	alter(t, path, `UPDATE scan_hosts SET hosts = '[{"addr":'`)
	if s, err := db.LastScan(t.Context(), "198.18.0.0/16"); err == nil || s.ID != "" || !strings.Contains(err.Error(), "last scan") {
		t.Errorf("of rows that are no JSON: got %q, %v", s.ID, err)
	}
}

func BenchmarkKeepScan65536(b *testing.B) {
	db := open(b, filepath.Join(b.TempDir(), "muster.db"), sqlite.Options{})
	s := fullScan(65536)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		s.ID = fmt.Sprint(i)
		if err := db.KeepScan(b.Context(), s); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLastScan65536(b *testing.B) {
	db := open(b, filepath.Join(b.TempDir(), "muster.db"), sqlite.Options{})
	if err := db.KeepScan(b.Context(), fullScan(65536)); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if s, err := db.LastScan(b.Context(), "198.18.0.0/16"); err != nil || len(s.Hosts) != 65536 {
			b.Fatal(len(s.Hosts), err)
		}
	}
}
