package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/musternet/muster/sim"
	"github.com/musternet/muster/task"
)

// TestScripts runs the program end to end, against simulated fleets on loopback and the real git.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:           filepath.Join("testdata", "script"),
		UpdateScripts: *update,
		Setup: func(e *testscript.Env) error {
			// Nothing of the machine that the test runs on: no settings, no ssh configuration, no agent.
			e.Setenv("HOME", e.WorkDir)
			e.Setenv("XDG_CONFIG_HOME", filepath.Join(e.WorkDir, "config"))
			e.Setenv("XDG_STATE_HOME", filepath.Join(e.WorkDir, "state"))
			e.Setenv("TZ", "UTC")
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"fleet":  fleetCmd,
			"change": changeCmd,
			"same":   sameCmd,
			"json":   jsonCmd,
			"fields": fieldsCmd,
			"plain":  plainCmd,
			"exit":   exitCmd,
			"await":  awaitCmd,
			"mode":   modeCmd,
			"signal": signalCmd,
			"say":    sayCmd,
		},
	})
}

// fleets are the running fleets of the scripts, by the directory of the script.
var fleets sync.Map

// fleetCmd starts a fleet, writes its inventory and ends it with the script: fleet FILE DEVICES [PREFIX] [KIND:SHARE...]
// With a loopback prefix each device has an address of its own and port 2222.
func fleetCmd(ts *testscript.TestScript, _ bool, args []string) {
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	config := sim.Config{Devices: n, Seed: 7, Platforms: []string{"cisco_ios", "arista_eos"}}
	for _, text := range args[2:] {
		if _, err := netip.ParsePrefix(text); err == nil {
			config.Listen = text
			continue
		}
		share, err := sim.ParseShare(text)
		ts.Check(err)
		config.Faults = append(config.Faults, share)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ready, over := make(chan *sim.Fleet), make(chan error, 1)
	go func() {
		over <- task.Scope(ctx, "fleet", func(ctx context.Context, g *task.Group) error {
			fleet, err := sim.Start(ctx, g, config)
			if err != nil {
				return err
			}
			ready <- fleet
			<-ctx.Done()
			return nil
		})
	}()
	select {
	case fleet := <-ready:
		ts.Defer(func() {
			cancel()
			<-over
		})
		fleets.Store(ts.Getenv("WORK"), fleet)
		ts.Check(writeFleet(fleet, ts.MkAbs(args[0])))
		_, password, _ := fleet.Login()
		ts.Setenv("PASSWORD", password)
	case err := <-over:
		cancel()
		ts.Check(err)
	}
}

func fleetOf(ts *testscript.TestScript) *sim.Fleet {
	fleet, ok := fleets.Load(ts.Getenv("WORK"))
	if !ok {
		ts.Fatalf("no fleet was started")
	}
	return fleet.(*sim.Fleet)
}

// changeCmd changes N devices and leaves the name of the first in $CHANGED: change N
func changeCmd(ts *testscript.TestScript, _ bool, args []string) {
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	ts.Setenv("CHANGED", fleetOf(ts).Change(n)[0])
}

// sameCmd compares a file with what a device really has: same FILE DEVICE
func sameCmd(ts *testscript.TestScript, neg bool, args []string) {
	if same := ts.ReadFile(args[0]) == string(fleetOf(ts).Want(args[1])); same == neg {
		ts.Fatalf("%s and the configuration of %s: same is %v", args[0], args[1], same)
	}
}

// jsonCmd checks that a file is JSON, or with "lines" that each of its lines is: json FILE [lines]
func jsonCmd(ts *testscript.TestScript, neg bool, args []string) {
	texts := []string{ts.ReadFile(args[0])}
	if len(args) > 1 {
		texts = strings.Split(strings.TrimSuffix(texts[0], "\n"), "\n")
	}
	for _, text := range texts {
		if json.Valid([]byte(text)) == neg {
			ts.Fatalf("valid JSON is %v: %s", !neg, text)
		}
	}
}

// fieldsCmd checks the names and the order of the fields of the first object of a file: fields FILE NAME...
func fieldsCmd(ts *testscript.TestScript, _ bool, args []string) {
	text := ts.ReadFile(args[0])
	d := json.NewDecoder(strings.NewReader(text[strings.Index(text, "{"):]))
	var got []string
	depth, isKey := 0, false
	for {
		tok, err := d.Token()
		ts.Check(err)
		switch v := tok.(type) {
		case json.Delim:
			if v == '{' || v == '[' {
				depth++
				isKey = v == '{'
			} else {
				depth--
				isKey = true
			}
			if depth == 0 {
				if strings.Join(got, " ") != strings.Join(args[1:], " ") {
					ts.Fatalf("got %q, want %q", got, args[1:])
				}
				return
			}
			continue
		case string:
			if depth == 1 && isKey {
				got = append(got, v)
			}
		}
		isKey = !isKey
	}
}

// plainCmd checks that a file has no control character but line feed and tab: plain FILE
func plainCmd(ts *testscript.TestScript, neg bool, args []string) {
	text := ts.ReadFile(args[0])
	if clean := visibleText(text) == text; clean == neg {
		ts.Fatalf("%s: plain is %v", args[0], clean)
	}
}

// exitCmd runs a command that must end with an exit code: exit CODE COMMAND...
func exitCmd(ts *testscript.TestScript, _ bool, args []string) {
	err := ts.Exec(args[1], args[2:]...)
	got := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if strconv.Itoa(got) != args[0] {
		ts.Fatalf("exit code %d, want %s", got, args[0])
	}
}

// awaitCmd waits until one of the files of a pattern has a text: await PATTERN TEXT
func awaitCmd(ts *testscript.TestScript, _ bool, args []string) {
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		files, err := filepath.Glob(ts.MkAbs(args[0]))
		ts.Check(err)
		for _, f := range files {
			if text, err := os.ReadFile(f); err == nil && strings.Contains(string(text), args[1]) {
				return
			}
		}
		if time.Now().After(deadline) {
			ts.Fatalf("%s has no %q in time", args[0], args[1])
		}
	}
}

// signalCmd signals every program in the background: signal INT|TERM|HUP|USR1
func signalCmd(ts *testscript.TestScript, _ bool, args []string) {
	number, ok := map[string]os.Signal{"INT": os.Interrupt, "TERM": syscall.SIGTERM, "HUP": syscall.SIGHUP, "USR1": usr1}[args[0]]
	if !ok || number == nil {
		ts.Fatalf("no signal %s here", args[0])
	}
	for _, c := range ts.BackgroundCmds() {
		ts.Check(c.Process.Signal(number))
	}
}

// listensOn finds where a listener, or a muster that serves, said that it listens.
var listensOn = regexp.MustCompile(`(?:listens on |syslog=")(udp|tcp|unix) ([^\s,"]+)`)

// sayCmd sends each line of a file to the listener whose standard error a log has, over the first of its addresses, from the
// address of a device of the fleet if one is given: say LOG FILE [DEVICE]
// In a line \e stands for ESC, \n for a line feed, \t for the time of now and \d for the device.
func sayCmd(ts *testscript.TestScript, _ bool, args []string) {
	found := listensOn.FindStringSubmatch(ts.ReadFile(args[0]))
	if found == nil {
		ts.Fatalf("%s does not say where anybody listens", args[0])
	}
	network := found[1]
	if network == "unix" {
		network = "unixgram"
	}
	var d net.Dialer
	device := ""
	if len(args) > 2 {
		device = args[2]
		d.LocalAddr = &net.UDPAddr{IP: net.ParseIP(addressOf(ts, device))}
	}
	conn, err := d.Dial(network, found[2])
	ts.Check(err)
	defer conn.Close()
	for line := range strings.Lines(ts.ReadFile(args[1])) {
		line = strings.NewReplacer(`\e`, "\x1b", `\n`, "\n", `\t`, time.Now().UTC().Format(time.RFC3339), `\d`, device, "\n", "").Replace(line)
		if network == "tcp" {
			line += "\n"
		}
		_, err := io.WriteString(conn, line)
		ts.Check(err)
	}
}

// addressOf is the address of a device of the fleet.
func addressOf(ts *testscript.TestScript, device string) string {
	var list bytes.Buffer
	ts.Check(fleetOf(ts).WriteInventory(&list, "csv"))
	rows, err := csv.NewReader(&list).ReadAll()
	ts.Check(err)
	for _, row := range rows {
		if row[0] == device {
			return row[1]
		}
	}
	ts.Fatalf("the fleet has no %s", device)
	return ""
}

// modeCmd checks the permissions of a file: mode OCTAL FILE
func modeCmd(ts *testscript.TestScript, _ bool, args []string) {
	info, err := os.Stat(ts.MkAbs(args[1]))
	ts.Check(err)
	if got := fmt.Sprintf("%o", info.Mode().Perm()); got != args[0] && runtime.GOOS != "windows" {
		ts.Fatalf("mode %s, want %s", got, args[0])
	}
}

// BenchmarkStart measures what the program costs before it does anything, as CPU time of a process of its own.
func BenchmarkStart(b *testing.B) {
	binary, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	var cpu float64
	for b.Loop() {
		state, err := startOnce(binary)
		if err != nil {
			b.Fatal(err)
		}
		cpu += float64((state.UserTime() + state.SystemTime()).Microseconds()) / 1000
	}
	b.ReportMetric(cpu/float64(b.N), "cpu-ms/op")
}
